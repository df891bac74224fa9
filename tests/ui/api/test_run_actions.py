"""Runs through their addresses: following them, and what can be asked of them."""

from __future__ import annotations

import pytest

from lib_trainer.core.events import Finished, Loss, Started, Stopped


@pytest.fixture
def queued(idle, engine, train):
    """Three queued trainings."""
    engine("return {}")
    return [idle.start("train", train) for _ in range(3)]


def places(page, runs):
    return [page.get(f"projects/first/runs/{run}")["place_in_queue"] for run in runs]


def test_waiting_runs_can_be_put_elsewhere(idle, queued):
    a, b, c = queued
    assert places(idle, queued) == [1, 2, 3]
    moves = [(c, "first", [2, 3, 1]), (c, "down", [1, 3, 2]), (b, "up", [1, 2, 3]), (a, "last", [3, 1, 2])]
    for run, where, after in moves:
        idle.post(f"projects/first/runs/{run}/{where}")
        assert (idle.status, places(idle, queued)) == (200, after)


def test_a_cancelled_run_is_stopped_for_good_and_can_be_resumed(idle, queued):
    told = idle.post(f"projects/first/runs/{queued[0]}/cancel")
    assert (told["state"], told["resumable"], told["place_in_queue"]) == ("stopped", True, None)
    assert [run["id"] for run in idle.get("now")["queue"]] == queued[1:]
    told = idle.post(f"projects/first/runs/{queued[0]}/resume")
    assert (told["state"], told["place_in_queue"]) == ("queued", 3)


def test_a_resumed_run_that_is_cancelled_again_keeps_its_ending(idle, queued):
    run = idle.server.project("first").run(queued[0])
    idle.post(f"projects/first/runs/{queued[0]}/cancel")
    idle.post(f"projects/first/runs/{queued[0]}/resume")
    idle.post(f"projects/first/runs/{queued[0]}/cancel")
    assert [type(event) for event in run.events_after(0)[0]] == [Stopped]


@pytest.mark.parametrize("action", ["stop", "save", "sample", "resume"])
def test_what_a_queued_run_can_not_do_is_refused_with_its_state(idle, queued, action):
    told = idle.post(f"projects/first/runs/{queued[0]}/{action}")
    assert (idle.status, "is queued" in told["error"]) == (409, True)


@pytest.mark.parametrize("action", ["stop", "save", "sample", "resume", "cancel", "first", "up"])
def test_what_a_finished_run_can_not_do_is_refused_with_its_state(idle, queued, action):
    idle.post(f"projects/first/runs/{queued[0]}/cancel")
    idle.server.project("first").run(queued[0]).append(Finished({}))
    told = idle.post(f"projects/first/runs/{queued[0]}/{action}")
    assert (idle.status, "is finished" in told["error"]) == (409, True)


def test_a_resume_without_an_engine_is_refused(idle, queued, host):
    idle.post(f"projects/first/runs/{queued[0]}/cancel")
    host.python = None
    idle.post(f"projects/first/runs/{queued[0]}/resume")
    assert idle.status == 409


@pytest.mark.parametrize("wish", ["save", "sample"])
def test_a_working_training_gets_a_wish(page, engine, train, wish):
    engine(f"until(run.path / 'request-{wish}'); return {{}}")
    run = page.start("train", train)
    page.wait_for(run, "running")
    page.post(f"projects/first/runs/{run}/{wish}")
    assert page.status == 200
    page.wait_for(run, "finished")


def test_a_comparison_saves_nothing_on_demand(page, engine, compare):
    engine("until(run.path / 'request-stop')")
    run = page.start("compare", compare)
    page.wait_for(run, "running")
    told = page.post(f"projects/first/runs/{run}/save")
    assert (page.status, "is no training" in told["error"]) == (409, True)
    page.post(f"projects/first/runs/{run}/stop")
    page.wait_for(run, "stopped")


def test_events_come_from_an_offset_with_the_run_as_it_stands(idle, queued):
    run = idle.server.project("first").run(queued[0])
    run.append(Started("train", 1, time=1.0))
    run.append(Loss(1, 0, 0.5, {"unet": 1e-4}, time=2.0))
    first = idle.get(f"projects/first/runs/{queued[0]}/events")
    assert [event["event"] for event in first["events"]] == ["started", "loss"]
    assert (first["next"], first["run"]["last_loss"], first["run"]["size"]) == (run.end(), 0.5, run.end())
    run.append(Finished({"a": 1}))
    second = idle.get(f"projects/first/runs/{queued[0]}/events", after=first["next"])
    assert [event["result"] for event in second["events"]] == [{"a": 1}]


def test_a_long_runs_events_come_in_calls_of_two_thousand(idle, queued):
    run = idle.server.project("first").run(queued[0])
    run.events_file.write_text("".join(Loss(n, 0, 0.5, {}).to_line() + "\n" for n in range(4500)), encoding="utf-8")
    counts, after = [], 0
    while not counts or counts[-1]:
        told = idle.get(f"projects/first/runs/{queued[0]}/events", after=after)
        counts, after = [*counts, len(told["events"])], told["next"]
    assert counts == [2000, 2000, 500, 0]


@pytest.mark.parametrize("after", ["-1", "x", "1.5", "", "²"])
def test_an_offset_that_is_no_number_is_refused(idle, queued, after):
    idle.get(f"projects/first/runs/{queued[0]}/events", after=after)
    assert idle.status == 400


def test_a_run_shows_its_configuration_and_the_end_of_its_log(idle, queued, train):
    run = idle.server.project("first").run(queued[0])
    run.log_file.write_text("warned\n", encoding="utf-8")
    told = idle.get(f"projects/first/runs/{queued[0]}")
    assert (told["config"]["model"], told["folder"], told["log_tail"]) == (train["model"], str(run.path), "warned\n")


def test_runs_are_listed_newest_first_with_those_of_other_projects_apart(idle, queued, train):
    idle.post("projects", name="other")
    other = idle.start("train", train, project="other")
    assert [run["id"] for run in idle.get("projects/first/runs")["runs"]] == queued[::-1]
    assert [run["id"] for run in idle.get("projects/other/runs")["runs"]] == [other]
    assert len(idle.get("now")["queue"]) == 4
