import threading
from contextlib import closing

import pytest

from lib_trainer.images.threads import in_threads


def test_results_come_in_the_order_of_the_items():
    waiting = threading.Event()

    def work(item):
        if item == 0:
            waiting.wait(10)
        else:
            waiting.set()
        return item * 2

    assert list(in_threads(work, range(50))) == [item * 2 for item in range(50)]


def test_once_stopped_only_what_is_begun_is_finished():
    begun = []
    results = list(in_threads(lambda item: begun.append(item) or item, range(10_000), lambda: True))
    assert sorted(results) == sorted(begun)
    assert len(begun) < 10_000


def test_an_error_is_passed_on_and_nothing_more_is_begun():
    begun = []

    def work(item):
        begun.append(item)
        raise ValueError(item)

    with pytest.raises(ValueError, match="0"), closing(in_threads(work, range(10_000))) as results:
        list(results)
    assert len(begun) < 10_000
