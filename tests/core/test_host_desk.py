from __future__ import annotations

import threading

import pytest

from lib_trainer.core import host_desk
from lib_trainer.core.errors import OutputError, StopRequested
from lib_trainer.core.host_desk import DeclinedError, HostDesk, offering
from tests.answering_page import answering


def page(run, worker, names=("one", "two")):
    """A page that answers from its own thread as long as the block lasts."""
    return answering(run, {"enlarge": list(names)}, worker)


def reverse(source, target, told):
    target.write_bytes(source.read_bytes()[::-1] + told["more"].encode())


def left(run):
    return sorted(path.name for path in (run.path / "host").iterdir())


def test_what_is_asked_is_done_by_the_page_and_nothing_is_left(run):
    desk = HostDesk(run)
    with page(run, reverse):
        assert desk.offered("enlarge") == ["one", "two"]
        assert desk.offered("caption") == []
        answers = {}
        asked = [
            threading.Thread(target=lambda n=n: answers.update({n: desk.ask("enlarge", b"ab", {"more": str(n)})}))
            for n in range(5)
        ]
        for thread in asked:
            thread.start()
        for thread in asked:
            thread.join(20)
        assert answers == {n: b"ba" + str(n).encode() for n in range(5)}
        assert left(run) == ["lock", "offer.json"]


def test_without_a_page_nothing_is_offered(run):
    assert HostDesk(run).offered("enlarge") == []
    with page(run, reverse):
        pass
    assert HostDesk(run).offered("enlarge") == []


def test_what_can_not_be_done_is_said_and_the_next_task_is_done(run):
    def worker(source, target, told):
        if told["more"] == "bad":
            raise DeclinedError("too large")
        reverse(source, target, told)

    with page(run, worker):
        with pytest.raises(DeclinedError, match="too large"):
            HostDesk(run).ask("enlarge", b"ab", {"more": "bad"})
        assert HostDesk(run).ask("enlarge", b"ab", {"more": "!"}) == b"ba!"
    assert left(run) == ["lock", "offer.json"]


def test_who_waits_hears_of_a_stop(run):
    with page(run, reverse):
        run.request("stop")
        with pytest.raises(StopRequested):
            HostDesk(run).ask("enlarge", b"ab", {"more": ""})


def test_who_waits_hears_that_the_page_is_gone(run, monkeypatch):
    monkeypatch.setattr(host_desk, "GONE_LOOKS", 1)
    (run.path / "host").mkdir()
    with pytest.raises(OutputError, match="start the page again"):
        HostDesk(run).ask("enlarge", b"ab", {})


def test_what_an_earlier_engine_left_is_not_done_again(run):
    place = run.path / "host"
    place.mkdir()
    (place / "old.json").write_text("{}", encoding="utf-8")
    (place / "old.in").write_bytes(b"")
    done = []
    with offering(run, {}, lambda *task: done.append(task)) as serve:
        serve()
    assert done == []
    assert left(run) == ["lock", "offer.json"]


def test_a_second_page_leaves_the_first_its_work(run, monkeypatch):
    monkeypatch.setattr(host_desk, "LOCK_SECONDS", 0)
    with offering(run, {"enlarge": ["one"]}, reverse), offering(run, {"enlarge": ["two"]}, reverse) as serve:
        serve()
        assert HostDesk(run).offered("enlarge") == ["one"]
