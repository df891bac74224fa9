"""Runs one after another, with the real worker as the engine."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
from contextlib import contextmanager

import pytest

from lib_trainer.core.errors import ConfigError, StopRequested
from lib_trainer.core.events import Failed, Finished, Notice, Started, Stopped
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.jobs.launcher import new_run, start
from lib_trainer.ui.server import Server
from tests.ui.conftest import Page, TestHost, wait_for

UNTIL_STOPPED = "while not run.stop_requested(): time.sleep(0.01)"


def events_of(page, run):
    return page.server.project("first").run(run).events_after(0)[0]


def test_trainings_work_one_after_another_in_the_order_of_the_queue(page, engine, train, host, tmp_path):
    engine("until(run.path / 'go')")
    runs = [page.start("train", train) for _ in range(3)]
    page.wait_for(runs[0], "running")
    assert [page.state(run) for run in runs] == ["running", "queued", "queued"]
    assert [run["place_in_queue"] for run in page.get("now")["queue"]] == [1, 2]
    page.post(f"projects/first/runs/{runs[2]}/first")
    for run in (runs[0], runs[2], runs[1]):
        page.wait_for(run, "running")
        (page.server.project("first").run(run).path / "go").touch()
        page.wait_for(run, "finished")
    wait_for(lambda: len(host.card) == 6)
    assert host.card == [f"{word} {run}" for run in (runs[0], runs[2], runs[1]) for word in ("held for", "free after")]


def test_a_light_step_works_beside_a_training_and_without_the_card(page, engine, train, host):
    engine("until(run.path / 'go') if run.path.name.startswith('train') else None; return {'made': 1}")
    training = page.start("train", train)
    page.wait_for(training, "running")
    plan = page.start("plan", train)
    assert page.wait_for(plan, "finished")["step"] == "plan"
    assert host.card == [f"held for {training}"]
    assert [run["id"] for run in page.get("projects/first/runs")["runs"]] == [training]
    page.post(f"projects/first/runs/{training}/stop")
    (page.server.project("first").run(training).path / "go").touch()
    assert page.wait_for(training, "stopped")["resumable"]


def test_a_training_of_the_command_line_keeps_the_queue_waiting(page, engine, train, host):
    engine(UNTIL_STOPPED)
    other = new_run("train", {**train, "saving": {}})
    process = start(host.python, other)
    run = page.start("train", train)
    assert [working["project"] for working in page.get("now")["running"]] == ["command-line"]
    assert page.state(run) == "queued"
    other.request("stop")
    process.wait()
    page.wait_for(run, "running")


def test_a_stopped_run_goes_on_when_it_is_resumed(page, engine, train):
    engine(f"run.append(Notice('at work'))\n{UNTIL_STOPPED}")
    run = page.start("train", train)
    page.wait_for(run, "running")
    page.post(f"projects/first/runs/{run}/stop")
    stopped = page.wait_for(run, "stopped")
    assert (stopped["resumable"], stopped["ended"] >= stopped["started"]) == (True, True)
    engine("return {}")
    page.post(f"projects/first/runs/{run}/resume")
    assert not page.wait_for(run, "finished")["resumable"]
    assert [type(event) for event in events_of(page, run)] == [Started, Notice, Stopped, Started, Finished]


def test_a_killed_engine_leaves_an_interrupted_run_that_can_be_resumed(page, engine, train):
    engine("time.sleep(60)")
    run = page.start("train", train)
    page.wait_for(run, "running")
    wait_for(lambda: events_of(page, run))
    os.kill(events_of(page, run)[0].process, signal.SIGKILL)
    told = page.wait_for(run, "interrupted")
    assert "killed, or ran out of memory" in told["message"]
    assert told["resumable"]
    assert page.get("now")["running"] == []


def test_an_engine_that_does_not_begin_fails_the_run_with_the_end_of_its_log(page, engine, train, host):
    engine("return {}")
    host.python.write_text("#!/bin/sh\necho 'no such library' >&2\nexit 1\n", encoding="utf-8")
    told = page.wait_for(page.start("train", train), "failed")
    assert "ended before it began to work" in told["message"]
    assert "no such library" in told["message"]


def test_a_failing_run_lets_the_next_one_work(page, engine, train):
    engine("raise DataError('There is no picture; add one.')")
    runs = [page.start("train", train) for _ in range(2)]
    assert [page.wait_for(run, "failed")["message"] for run in runs] == ["There is no picture; add one."] * 2


def test_a_host_that_can_not_free_its_card_fails_the_run_with_its_words(page, engine, train, host, monkeypatch):
    engine("return {}")

    def broken(run):
        raise RuntimeError("no memory manager")

    monkeypatch.setattr(host, "holding_the_card", broken)
    run = page.start("train", train)
    assert page.wait_for(run, "failed")["message"] == "RuntimeError: no memory manager"
    assert [type(event) for event in events_of(page, run)] == [Failed]


def test_what_goes_wrong_after_a_runs_own_end_does_not_change_how_it_ended(page, engine, train, host, monkeypatch):
    engine("return {}")

    @contextmanager
    def card(run):
        yield
        raise RuntimeError("the model is gone")

    monkeypatch.setattr(host, "holding_the_card", card)
    run = page.start("train", train)
    wait_for(lambda: page.get("now")["notes"])
    assert page.state(run) == "finished"
    assert "the model is gone" in page.get("now")["notes"][0]


def test_a_run_that_is_not_wanted_any_more_when_the_card_is_free_is_not_started(page, engine, train, host, monkeypatch):
    engine("return {}")
    free = threading.Event()

    @contextmanager
    def card(run):
        free.wait(30)
        yield

    monkeypatch.setattr(host, "holding_the_card", card)
    run = page.start("train", train)
    page.wait_for(run, "starting")
    page.post(f"projects/first/runs/{run}/stop")
    assert page.state(run) == "stopping"
    free.set()
    page.wait_for(run, "stopped")
    assert [type(event) for event in events_of(page, run)] == [Stopped]


def test_a_host_that_gives_up_waiting_for_the_card_stops_the_run(page, engine, train, host, monkeypatch):
    engine("return {}")

    def given_up(run):
        raise StopRequested

    monkeypatch.setattr(host, "holding_the_card", given_up)
    page.wait_for(page.start("train", train), "stopped")


def test_a_stop_while_the_engine_starts_reaches_it(page, engine, train):
    engine("time.sleep(0.3); return {}")
    run = page.start("train", train)
    page.wait_for(run, "starting", "running")
    page.post(f"projects/first/runs/{run}/stop")
    page.wait_for(run, "stopped")


def test_the_host_draws_a_comparison_as_the_engine_would(page, host, compare):
    drawn = []

    def drawing(options, run):
        assert page.state(run.path.name) == "running"
        run.append(Notice("drawing"))
        drawn.append(options.output)
        return {"grid": "grid.png"}

    host.drawing = drawing
    run = page.start("compare", compare)
    page.wait_for(run, "finished")
    assert drawn == [page.server.project("first").comparisons_folder / run]
    started, notice, finished = events_of(page, run)
    assert (started.process, notice.message, finished.result) == (os.getpid(), "drawing", {"grid": "grid.png"})


def test_a_comparison_that_the_host_draws_obeys_a_stop(page, host, compare):
    def drawing(options, run):
        wait_for(run.stop_requested)
        raise StopRequested

    host.drawing = drawing
    run = page.start("compare", compare)
    page.wait_for(run, "running")
    page.post(f"projects/first/runs/{run}/stop")
    page.wait_for(run, "stopped")


def test_a_hosts_drawing_that_fails_says_so(page, host, compare):
    def drawing(options, run):
        raise ConfigError("'samplers' is 'x'; the WebUI has none of that name.")

    host.drawing = drawing
    assert "the WebUI has none" in page.wait_for(page.start("compare", compare), "failed")["message"]


def test_what_the_host_does_not_draw_after_all_the_engine_does(page, host, engine, compare):
    engine("return {'by': 'the engine'}")
    host.drawing = lambda options, run: None
    run = page.start("compare", compare)
    page.wait_for(run, "finished")
    assert events_of(page, run)[-1].result == {"by": "the engine"}


def test_a_queue_without_an_engine_waits_and_says_why(idle, host, engine, train):
    engine("return {}")
    run = idle.start("train", train)
    python, host.python = host.python, None
    idle.server.begin()
    wait_for(lambda: idle.get("now")["notes"])
    assert idle.get("now")["notes"] == ["The queue waits: " + idle.get("now")["engine"]["message"]]
    assert idle.state(run) == "queued"
    host.python = python
    idle.wait_for(run, "finished")
    idle.server.end()


def test_a_queued_run_whose_folder_vanished_does_not_hold_up_the_queue(idle, engine, train):
    engine("return {}")
    gone, run = idle.start("train", train), idle.start("train", train)
    shutil.rmtree(idle.server.project("first").run(gone).path)
    idle.server.begin()
    idle.wait_for(run, "finished")
    idle.server.end()
    assert idle.server.queue.entries() == []
    assert idle.state(gone) == "vanished"


def test_the_queue_goes_on_in_another_host_where_it_was_left(idle, engine, train, host, home):
    engine("return {}")
    run = idle.start("train", train)
    later = Page(Server(TestHost(host.python), home))
    later.server.begin()
    later.wait_for(run, "finished")
    later.server.end()


def test_runs_go_on_over_a_reload_and_keep_the_card(page, engine, train, host):
    engine("until(run.path / 'go')")
    run = page.start("train", train)
    page.wait_for(run, "running")
    page.server.end()
    page.server.begin()
    assert page.state(run) == "running"
    (page.server.project("first").run(run).path / "go").touch()
    page.wait_for(run, "finished")
    wait_for(lambda: len(host.card) == 2)
    assert host.card == [f"held for {run}", f"free after {run}"]


def test_a_run_of_an_earlier_host_is_adopted_and_its_card_held_until_it_ends(page, engine, train, host, home):
    engine("until(run.path / 'go')")
    page.server.end()
    project = page.server.project("first")
    old = new_run("train", train, project.runs_folder / "train-1")
    process = start(host.python, old)
    wait_for(lambda: old.events_after(0)[0])
    page.server.begin()
    wait_for(lambda: host.card == ["held for train-1"])
    assert [run["id"] for run in page.get("now")["running"]] == ["train-1"]
    (old.path / "go").touch()
    process.wait()
    wait_for(lambda: host.card == ["held for train-1", "free after train-1"])
    assert page.state("train-1") == "finished"


def test_only_one_host_of_a_data_folder_works_through_the_queue(page, engine, train, host, home):
    engine("return {}")
    wait_for((home / "conductor.lock").exists)
    other = TestHost(host.python)
    second = Server(other, home)
    second.begin()
    run = Page(second).start("train", train)
    page.wait_for(run, "finished")
    second.end()
    wait_for(lambda: len(host.card) == 2)
    assert (host.card, other.card) == ([f"held for {run}", f"free after {run}"], [])


def test_an_ended_host_starts_nothing(idle, engine, train):
    engine("return {}")
    idle.server.begin()
    idle.server.end()
    run = idle.start("train", train)
    assert not [thread for thread in threading.enumerate() if thread.name == "lib-trainer conductor"]
    assert idle.state(run) == "queued"


@pytest.mark.parametrize("content", ["{", "[]", '{"queue": [{"project": "first"}]}'])
def test_a_queue_that_can_not_be_read_is_set_aside(idle, home, content):
    (home / "queue.json").write_text(content, encoding="utf-8")
    assert idle.get("now")["queue"] == []
    (aside,) = home.glob("queue-unreadable-*.json")
    assert aside.read_text(encoding="utf-8") == content


def test_an_engine_of_another_process_that_took_the_run_first_keeps_it(idle, engine, train, host):
    engine("until(run.path / 'go')")
    run = idle.server.project("first").run(idle.start("train", train))
    process = subprocess.Popen([str(host.python), str(run.path)], env={**os.environ, "PYTHONPATH": "."})
    wait_for(lambda: run.events_after(0)[0])
    idle.server.begin()
    wait_for(lambda: idle.server.queue.entries() == [])
    assert idle.state(run.path.name) == "running"
    (run.path / "go").touch()
    process.wait()
    idle.wait_for(run.path.name, "finished")
    idle.server.end()
    assert [type(event) for event in run.events_after(0)[0]] == [Started, Finished]


def test_the_queues_file_names_runs_in_order(idle, engine, train, home):
    engine("return {}")
    runs = [idle.start("train", train), idle.start("train", train, first=True)]
    told = json.loads((home / "queue.json").read_text(encoding="utf-8"))
    assert told == {"queue": [{"project": "first", "run": run} for run in reversed(runs)]}


def test_a_directory_without_a_job_is_no_run(idle, home):
    RunDirectory(home / "projects" / "first" / "runs" / "x").path.mkdir(parents=True)
    assert idle.get("projects/first/runs")["runs"] == []


def test_the_page_does_what_a_run_asks_of_its_host(page, engine, host, tmp_path):
    engine(
        """
        from lib_trainer.core.host_desk import HostDesk
        desk = HostDesk(run)
        return {"offered": desk.offered("enlarge"), "answer": desk.ask("enlarge", b"a picture", {}).decode()}
        """
    )
    host.upscalers = lambda: ["4x"]
    host.enlarge = lambda source, target, task, run: target.write_bytes(source.read_bytes().upper())
    (tmp_path / "photos").mkdir()
    run = page.start("prepare", {"folder": str(tmp_path / "photos"), "enlarge": "webui"})
    page.wait_for(run, "finished")
    (ended,) = [event for event in events_of(page, run) if isinstance(event, Finished)]
    assert ended.result == {"offered": ["4x"], "answer": "A PICTURE"}


@pytest.mark.parametrize("chosen", [{"tagger": "webui deepbooru"}, {"describer": {"type": "webui", "styles": True}}])
def test_the_page_has_its_host_look_at_pictures_where_a_run_asks_for_that(page, engine, host, tmp_path, chosen):
    engine(
        """
        from lib_trainer.core.host_desk import HostDesk
        desk = HostDesk(run)
        (what,) = [each for each in ("enlarge", "describe", "tag") if desk.offered(each)]
        return {"what": what, "answer": desk.ask(what, b"a picture", {}).decode()}
        """
    )
    host.interrogators = lambda: ["describe", "tag"]
    host.interrogate = lambda source, target, task, run: target.write_text(f"{task['what']}: it is")
    (tmp_path / "photos").mkdir()
    run = page.start("caption", {"folder": str(tmp_path / "photos"), **chosen})
    page.wait_for(run, "finished")
    (ended,) = [event for event in events_of(page, run) if isinstance(event, Finished)]
    what = "tag" if "tagger" in chosen else "describe"
    assert ended.result == {"what": what, "answer": f"{what}: it is"}
