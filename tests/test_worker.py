"""The engine process."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

from lib_trainer import steps, worker
from lib_trainer.core.errors import DataError
from lib_trainer.core.events import Failed, Finished, Notice, Started, Stopped
from lib_trainer.core.file_lock import file_lock, is_locked
from lib_trainer.core.run_directory import RunDirectory

ROOT = Path(__file__).parents[1]


@pytest.fixture
def works(run, monkeypatch):
    """`works(step)`: the exit code and the events of a worker whose step `prepare` is this function."""

    def worked(step):
        module = types.ModuleType("step_of_a_test")
        module.step = step
        monkeypatch.setitem(sys.modules, "step_of_a_test", module)
        changed = dataclasses.replace(steps.STEPS["prepare"], run="step_of_a_test:step")
        monkeypatch.setitem(steps.STEPS, "prepare", changed)
        code = worker.main(str(run.path))
        return code, run.events_after(0)[0]

    return worked


def test_a_step_gets_its_checked_options_and_its_result_is_told(works, run):
    code, events = works(lambda options, run: {"width": options.width})
    assert code == 0
    assert [type(event) for event in events] == [Started, Finished]
    assert (events[0].step, events[0].process) == ("prepare", os.getpid())
    assert events[1].result == {"width": 24}


def test_a_step_that_was_asked_to_stop_ends_as_stopped(works, run):
    def step(options, run):
        run.request("stop")
        return {}

    code, events = works(step)
    assert code == 0
    assert isinstance(events[-1], Stopped)
    assert not run.stop_requested()


def test_a_stop_that_was_asked_for_while_the_engine_started_counts(works, run):
    run.request("stop")
    _, events = works(lambda options, run: {"asked": run.stop_requested()})
    assert isinstance(events[-1], Stopped)


def test_an_error_of_the_user_is_told_as_it_stands(works):
    def step(options, run):
        raise DataError("There is no picture; add one.")

    code, events = works(step)
    assert code == 2
    assert (events[-1].message, events[-1].details) == ("There is no picture; add one.", "")


def test_a_bug_is_told_with_its_traceback_and_raised_on(works, run):
    def step(options, run):
        raise ZeroDivisionError("a bug")

    with pytest.raises(ZeroDivisionError):
        works(step)
    (event,) = [event for event in run.events_after(0)[0] if isinstance(event, Failed)]
    assert event.message == "ZeroDivisionError: a bug"
    assert "Traceback" in event.details
    assert "in step" in event.details


def test_the_run_is_locked_while_the_step_works(works, run):
    locked = []
    works(lambda options, run: locked.append(is_locked(run.lock_file)) or {})
    assert locked == [True]
    assert not is_locked(run.lock_file)


def test_a_run_that_another_engine_works_on_is_left_alone(works, run, monkeypatch):
    monkeypatch.setattr(worker, "LOCK_SECONDS", 0.1)
    run.append(Notice("the other engine's"))
    with file_lock(run.lock_file):
        code, events = works(lambda options, run: {})
    assert code == 2
    assert [type(event) for event in events] == [Notice]


@pytest.mark.parametrize(
    ("step", "config", "said"),
    [
        ("prepare", {"folder": "/x", "width": 1}, "'width' is 1; it must be 8 to 8192 px."),
        ("prepare", {}, "'folder' is not given"),
        ("xyz", {}, "Unknown step 'xyz'. Available: "),
        ("prepar", {}, "Did you mean 'prepare'?"),
    ],
)
def test_a_job_that_can_not_be_done_is_refused(tmp_path, step, config, said):
    run = RunDirectory(tmp_path / "other")
    run.create(step, config)
    assert worker.main(str(run.path)) == 2
    assert said in run.events_after(0)[0][-1].message


def test_a_folder_without_a_job_is_refused(tmp_path):
    assert worker.main(str(tmp_path)) == 2
    assert "is not a run" in RunDirectory(tmp_path).events_after(0)[0][-1].message


def test_a_package_that_the_engine_lacks_is_named_with_the_cure(run, monkeypatch):
    changed = dataclasses.replace(steps.STEPS["prepare"], run="no_such_package:step")
    monkeypatch.setitem(steps.STEPS, "prepare", changed)
    assert worker.main(str(run.path)) == 2
    message = run.events_after(0)[0][-1].message
    assert "no_such_package" in message
    assert "python3 -m lib_trainer setup" in message


def test_the_worker_is_a_program_of_its_own(tmp_path):
    run = RunDirectory(tmp_path / "other")
    run.create("paint", {})
    done = subprocess.run([sys.executable, "-m", "lib_trainer.worker", run.path], cwd=ROOT, check=False)
    assert done.returncode == 2


@pytest.mark.engine
@pytest.mark.parametrize("name", list(steps.STEPS))
def test_each_step_names_a_function_that_is_there(name):
    pytest.importorskip("torch")
    assert callable(steps.STEPS[name].resolve())

