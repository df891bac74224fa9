"""Watching a run to its end."""

from __future__ import annotations

import pytest

from lib_trainer.core.events import Failed, Finished, Notice, Progress, Started, Stopped
from lib_trainer.jobs.launcher import start
from lib_trainer.jobs.work import watch


class Screen:
    """Keeps what it is shown; `interrupts` are the numbers of the events at which Ctrl-C is pressed."""

    def __init__(self, *interrupts):
        self.events = []
        self._interrupts = set(interrupts)
        self._looks = 0

    def show(self, event):
        self._looks += 1
        if self._looks in self._interrupts:
            raise KeyboardInterrupt
        self.events.append(event)

    @property
    def kinds(self):
        return [type(event) for event in self.events]


@pytest.mark.parametrize(
    ("lines", "code", "result"),
    [
        ("return {'made': 3}", 0, {"made": 3}),
        ("run.request('stop'); return {}", 130, {}),
        ("raise DataError('No picture; add one.')", 2, {}),
        ("raise ZeroDivisionError", 1, {}),
        ("os._exit(7)", 1, {}),
        ("os._exit(2)", 2, {}),
    ],
)
def test_the_exit_code_says_how_it_ended(engine, run, lines, code, result):
    assert watch(run, start(engine(lines), run), Screen().show) == (code, result)


def test_a_bug_shows_its_traceback_and_an_error_of_the_user_does_not(engine, run):
    screen = Screen()
    watch(run, start(engine("raise ZeroDivisionError"), run), screen.show)
    assert "Traceback" in screen.events[-1].details
    offset = run.end()
    watch(run, start(engine("raise DataError('No picture; add one.')"), run), screen.show, offset)
    assert screen.events[-1].message == "No picture; add one."
    assert screen.events[-1].details == ""


WORK_UNTIL_STOPPED = """
for i in range(3):
    run.append(Progress('Work', i, 3))
while not run.stop_requested():
    time.sleep(0.02)
return {}
"""


def test_ctrl_c_asks_the_engine_to_stop_and_watches_on(engine, run):
    screen = Screen(3)
    assert watch(run, start(engine(WORK_UNTIL_STOPPED), run), screen.show) == (130, {})
    assert screen.kinds == [Started, Progress, Notice, Progress, Progress, Stopped]
    assert "Press Ctrl-C again" in screen.events[2].message


def test_an_ending_that_was_written_just_before_ctrl_c_is_not_lost(engine, run):
    process = start(engine("return {'made': 3}"), run)
    process.wait(timeout=30)
    screen = Screen(1)
    assert watch(run, process, screen.show) == (0, {"made": 3})
    assert screen.kinds == [Notice, Started, Finished]


def test_a_second_ctrl_c_leaves_without_waiting(engine, run):
    process = start(engine("run.append(Notice('busy')); time.sleep(60)"), run)
    with pytest.raises(KeyboardInterrupt):
        watch(run, process, Screen(1, 4).show)
    assert process.poll() is None
    process.kill()
    process.wait()


def test_watching_a_run_that_others_started_ends_at_ctrl_c_and_asks_for_nothing(run):
    run.append(Started("prepare", 1))
    with pytest.raises(KeyboardInterrupt):
        watch(run, None, Screen(1).show)
    assert not run.stop_requested()


def test_a_resumed_run_that_is_watched_from_its_beginning_is_shown_to_its_end(run):
    for event in (Started("prepare", 1), Stopped(), Started("prepare", 2), Failed("It broke."), Started("prepare", 3)):
        run.append(event)
    run.append(Finished({"made": 3}))
    screen = Screen()
    assert watch(run, None, screen.show) == (0, {"made": 3})
    assert len(screen.events) == 6


def test_resuming_shows_only_what_is_new(run):
    run.append(Started("prepare", 1))
    run.append(Stopped())
    offset = run.end()
    run.append(Finished({}))
    screen = Screen()
    watch(run, None, screen.show, offset)
    assert screen.kinds == [Finished]
