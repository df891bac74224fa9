"""Following a run by its files."""

from __future__ import annotations

import threading
import time

import pytest

from lib_trainer.core.events import Failed, Finished, Notice, Progress, Started, Stopped
from lib_trainer.core.file_lock import file_lock
from lib_trainer.jobs.follow import follow
from lib_trainer.jobs.launcher import start


def test_coming_back_later_gives_all_events_from_the_beginning(engine, run):
    process = start(engine("for i in range(3): run.append(Progress('Work', i, 3))\nreturn {'a': 1}"), run)
    first = list(follow(run, 0, lambda: process.poll() is None))
    assert [type(event) for event in first] == [Started, Progress, Progress, Progress, Finished]
    assert list(follow(run)) == first


def test_coming_back_at_an_offset_gives_the_rest(run):
    run.append(Started("prepare", 1))
    offset = run.end()
    run.append(Notice("news"))
    run.append(Finished({}))
    assert [type(event) for event in follow(run, offset)] == [Notice, Finished]


def test_a_killed_engine_is_reported_with_the_end_of_its_log(engine, run):
    python = engine("print('last words', flush=True); run.append(Notice('at work')); time.sleep(60)")
    process = start(python, run)
    seen = []
    for event in follow(run):
        seen.append(event)
        if isinstance(event, Notice):
            process.kill()
            process.wait()
    assert [type(event) for event in seen] == [Started, Notice, Failed]
    assert "killed" in seen[-1].message
    assert "last words" in seen[-1].details


def test_an_engine_that_never_came_to_a_word_is_reported(run):
    run.log_file.write_text("Fatal Python error\n", encoding="utf-8")
    (event,) = follow(run, 0, lambda: False)
    assert isinstance(event, Failed)
    assert event.details == "Fatal Python error\n"


def test_only_the_end_of_a_long_log_is_shown(run):
    run.log_file.write_text("x" * 100_000 + "end", encoding="utf-8")
    (event,) = follow(run, 0, lambda: False)
    assert event.details.endswith("end")
    assert len(event.details) < 5_000


def test_the_end_of_an_earlier_try_does_not_end_the_following_of_a_resumed_run(run):
    for event in (Started("prepare", 1), Stopped(), Started("prepare", 2), Finished({"resumed": True})):
        run.append(event)
    assert [type(event) for event in follow(run)] == [Started, Stopped, Started, Finished]


@pytest.mark.parametrize("ending", [Finished({}), Stopped(), Failed("It broke.")])
def test_each_ending_ends_it_while_the_engine_is_still_leaving(run, ending):
    run.append(ending)
    assert list(follow(run, 0, lambda: True)) == [ending]


def test_a_run_that_is_worked_on_is_waited_for(run):
    held, goes_on = threading.Event(), threading.Event()

    def work():
        with file_lock(run.lock_file) as ours:
            assert ours
            held.set()
            goes_on.wait(10)
            run.append(Finished({}))

    worker = threading.Thread(target=work)
    worker.start()
    held.wait(10)
    run.append(Notice("early"))
    events = follow(run)
    assert isinstance(next(events), Notice)
    threading.Timer(0.3, goes_on.set).start()
    asked_at = time.monotonic()
    assert isinstance(next(events), Finished)
    assert time.monotonic() - asked_at > 0.2
    worker.join()
