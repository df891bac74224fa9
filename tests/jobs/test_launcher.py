"""Starting engines."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lib_trainer.core.errors import EngineError, OutputError
from lib_trainer.core.events import Failed, Finished, Notice, Started, Stopped
from lib_trainer.core.file_lock import is_locked
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.jobs.follow import follow
from lib_trainer.jobs.launcher import new_run, start

ROOT = Path(__file__).parents[2]


def ended(run, process):
    """All events of a run whose engine has ended."""
    events = list(follow(run, 0, lambda: process.poll() is None))
    process.wait(timeout=30)
    return events


def result(run, process):
    event = ended(run, process)[-1]
    assert isinstance(event, Finished), event
    return event.result


def wait_for(condition):
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def test_the_engine_does_the_job_that_was_handed_over(engine, run):
    process = start(engine("return {'width': options.width, 'folder': str(options.folder)}"), run)
    started, finished = ended(run, process)
    assert (started, finished) == (
        Started("prepare", process.pid, time=started.time),
        Finished({"width": 24, "folder": run.job()[1]["folder"]}, time=finished.time),
    )
    assert process.returncode == 0


def test_the_engine_outlives_the_process_group_that_started_it(engine, run):
    python = engine("time.sleep(1.5); return {'done': True}")
    code = (
        "import sys, time, pathlib; from lib_trainer.jobs.launcher import start;"
        "from lib_trainer.core.run_directory import RunDirectory;"
        "start(pathlib.Path(sys.argv[1]), RunDirectory(pathlib.Path(sys.argv[2]))); time.sleep(60)"
    )
    host = subprocess.Popen([sys.executable, "-c", code, python, run.path], cwd=ROOT, start_new_session=True)
    wait_for(lambda: run.events_after(0)[0])
    for name in (signal.SIGINT, signal.SIGHUP, signal.SIGKILL):
        os.killpg(host.pid, name)
    host.wait()
    assert isinstance(list(follow(run))[-1], Finished)


def test_a_run_that_is_worked_on_is_not_started_again(engine, run):
    python = engine("while not run.stop_requested(): time.sleep(0.02)")
    process = start(python, run)
    wait_for(lambda: run.events_after(0)[0])
    with pytest.raises(EngineError, match="is being worked on already; follow it, or stop it first"):
        start(python, run)
    run.request("stop")
    assert [type(event) for event in ended(run, process)] == [Started, Stopped]


def test_a_second_worker_leaves_the_first_ones_events_alone(engine, run):
    python = engine("while not run.stop_requested(): time.sleep(0.02)")
    process = start(python, run)
    wait_for(lambda: run.events_after(0)[0])
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    second = subprocess.run([python, run.path], env=environment, capture_output=True, text=True, check=False)
    assert second.returncode == 2
    assert "works on" in second.stderr
    run.request("stop")
    assert [type(event) for event in ended(run, process)] == [Started, Stopped]


def test_nothing_of_the_hosts_own_environment_reaches_the_engine(engine, run, monkeypatch):
    hosts = {
        "PYTHONHOME": "/nowhere", "PYTHONPATH": "/nowhere", "LD_PRELOAD": "/nowhere/libtcmalloc.so",
        "VIRTUAL_ENV": "/nowhere", "PYTHONSTARTUP": "/nowhere",
    }  # fmt: skip
    for name, value in hosts.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:1")
    reached = result(run, start(engine("return dict(os.environ)"), run))
    assert [name for name, value in hosts.items() if reached.get(name) == value] == []
    assert reached["PYTHONPATH"] == str(ROOT)
    assert reached["HTTPS_PROXY"] == "http://proxy:1"


def test_the_engine_waits_without_spinning_unless_the_user_wants_it_otherwise(engine, run, monkeypatch):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "4096")
    reached = result(run, start(engine("return dict(os.environ)"), run))
    assert reached["OMP_WAIT_POLICY"] == "PASSIVE"
    assert reached["MALLOC_TRIM_THRESHOLD_"] == "4096"


def test_the_engine_finds_the_hosts_data_folder(engine, run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LIB_TRAINER_DATA", "mine")
    python = engine("from lib_trainer.core.places import data_folder; return {'data': str(data_folder())}")
    assert result(run, start(python, run)) == {"data": str(tmp_path / "mine")}


def test_files_in_the_working_folder_are_not_taken_for_modules(run, tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    events = ended(run, start(Path(sys.executable), run))
    assert isinstance(events[0], Started), run.log_file.read_text(encoding="utf-8")


def test_what_the_engine_prints_goes_to_the_log(engine, run):
    python = engine("print('printed ü'); print('warned', file=sys.stderr); return {'stdin': sys.stdin.read()}")
    assert result(run, start(python, run)) == {"stdin": ""}
    log = run.log_file.read_text(encoding="utf-8")
    assert "printed ü" in log
    assert "warned" in log


def test_an_old_request_is_forgotten_at_the_start(engine, run):
    for request in ("stop", "save", "sample"):
        run.request(request)
    python = engine("return {'left': [file.name for file in run.path.glob('request-*')]}")
    assert result(run, start(python, run)) == {"left": []}


def test_the_engine_holds_the_run_when_it_is_started(engine, run):
    process = start(engine("time.sleep(60)"), run)
    assert is_locked(run.lock_file)
    assert process.poll() is None
    process.kill()
    process.wait()


def test_ctrl_c_while_the_engine_starts_asks_it_to_stop(engine, run, monkeypatch):
    def interrupt(path):
        raise KeyboardInterrupt

    monkeypatch.setattr("lib_trainer.jobs.launcher.is_locked", interrupt)
    with pytest.raises(KeyboardInterrupt):
        start(engine("return {}"), run)
    wait_for(lambda: any(isinstance(event, Stopped) for event in run.events_after(0)[0]))


def test_a_python_that_is_not_there_is_named_with_the_cure(run, tmp_path):
    with pytest.raises(EngineError, match=r"nowhere.*can't be started .*python3 -m lib_trainer setup"):
        start(tmp_path / "nowhere", run)


def test_a_step_that_fails_says_so_once(engine, run):
    process = start(engine("raise DataError('There is no picture; add one.')"), run)
    said = [event.message for event in ended(run, process) if isinstance(event, Failed)]
    assert said == ["There is no picture; add one."]
    assert process.returncode == 2


def test_a_started_run_can_be_resumed_in_its_folder(engine, run):
    python = engine("run.append(Notice('again')); return {}")
    ended(run, start(python, run))
    offset = run.end()
    process = start(python, run)
    events = list(follow(run, offset, lambda: process.poll() is None))
    assert [type(event) for event in events] == [Started, Notice, Finished]


def test_runs_are_named_by_step_and_time_and_never_share_a_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("lib_trainer.jobs.launcher.time.strftime", lambda form: "20260102-030405")
    folders = [new_run("train", {"a": index}).path for index in range(3)]
    runs = tmp_path / "data" / "runs"
    assert folders == [runs / f"train-20260102-030405{ending}" for ending in ("", "-2", "-3")]
    jobs = [json.loads((folder / "job.json").read_text(encoding="utf-8")) for folder in folders]
    assert [job["config"] for job in jobs] == [{"a": 0}, {"a": 1}, {"a": 2}]


def test_a_given_run_folder_is_used_and_never_reused(tmp_path):
    assert new_run("train", {}, tmp_path / "mine") == RunDirectory(tmp_path / "mine")
    with pytest.raises(OutputError, match="already holds a run"):
        new_run("train", {}, tmp_path / "mine")
