"""The queue's file."""

from __future__ import annotations

import threading

import pytest

from lib_trainer.core.errors import OutputError
from lib_trainer.core.file_lock import file_lock
from lib_trainer.ui import queue as module
from lib_trainer.ui.queue import Entry, Queue

A, B, C = (Entry("first", name) for name in "abc")


@pytest.fixture
def queue(tmp_path):
    made = Queue(tmp_path)
    for entry in (A, B, C):
        made.add(entry)
    return made


def test_runs_wait_in_the_order_in_which_they_came(queue, tmp_path):
    assert Queue(tmp_path).entries() == [A, B, C]
    assert [queue.place(entry) for entry in (A, B, C, Entry("other", "a"))] == [1, 2, 3, None]


def test_a_run_can_be_put_first_and_waits_only_once(queue):
    queue.add(Entry("first", "d"), first=True)
    queue.add(A, first=True)
    assert queue.entries() == [Entry("first", "d"), A, B, C]


@pytest.mark.parametrize(("entry", "where", "after"), [
    (C, "first", [C, A, B]), (A, "last", [B, C, A]), (B, "up", [B, A, C]), (B, "down", [A, C, B]),
    (A, "up", [A, B, C]), (C, "down", [A, B, C]), (A, "first", [A, B, C]), (C, "last", [A, B, C]),
])  # fmt: skip
def test_a_waiting_run_can_be_moved(queue, entry, where, after):
    assert queue.move(entry, where)
    assert queue.entries() == after


def test_a_run_that_does_not_wait_can_neither_be_moved_nor_removed(queue):
    assert not queue.move(Entry("first", "x"), "up")
    assert not queue.remove(Entry("first", "x"))
    assert queue.entries() == [A, B, C]


def test_a_removed_run_waits_no_longer(queue):
    assert queue.remove(B)
    assert queue.entries() == [A, C]


def test_changes_of_many_threads_and_hosts_all_count(tmp_path):
    queues = [Queue(tmp_path) for _ in range(4)]
    threads = [
        threading.Thread(target=lambda own=own, queue=queue: [queue.add(Entry(own, str(n))) for n in range(10)])
        for own, queue in zip("abcd", queues, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted((entry.project, entry.run) for entry in queues[0].entries()) == sorted(
        (own, str(n)) for own in "abcd" for n in range(10)
    )


def test_a_queue_that_somebody_holds_is_refused_after_a_while(queue, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LOCK_SECONDS", 0.05)
    with file_lock(tmp_path / "queue.lock"), pytest.raises(OutputError, match="changed by another program; try again"):
        queue.remove(A)
    assert queue.entries() == [A, B, C]
