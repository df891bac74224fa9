"""The server as a whole: addresses, refusals, and what it says at one moment."""

from __future__ import annotations

import logging
import shutil
import threading

import pytest

from lib_trainer.core.events import Finished, Started
from lib_trainer.core.file_lock import file_lock
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.ui import routes
from lib_trainer.ui.api import now
from lib_trainer.ui.removal import prune
from lib_trainer.ui.routes import ROUTES, find, matched, resolve
from lib_trainer.ui.web import Refused


@pytest.mark.parametrize("target", sorted(set(ROUTES.values())))
def test_every_address_has_its_function(target):
    assert callable(resolve(target))


def test_no_address_fits_two_patterns():
    filled = {(method, pattern.replace("{", "").replace("}", "")) for method, pattern in ROUTES}
    for method, path in filled:
        fitting = [pattern for known, pattern in ROUTES if known == method and matched(pattern, path) is not None]
        assert len(fitting) == 1


@pytest.mark.parametrize(("path", "parts"), [
    ("/trainer/api/projects/a b/runs/train-1", {"project": "a b", "run": "train-1"}),
    ("/trainer/api/projects//runs/train-1", None),
    ("/trainer/api/projects/a/runs/train-1/", None),
    ("/trainer/api/projects/a/b/runs/train-1", None),
])  # fmt: skip
def test_a_name_stands_for_one_whole_part_of_the_path(path, parts):
    assert matched("/trainer/api/projects/{project}/runs/{run}", path) == parts


def test_an_unknown_address_and_a_wrong_method_are_told_apart():
    with pytest.raises(Refused, match="nothing at /trainer/api/x") as unknown:
        find("GET", "/trainer/api/x")
    with pytest.raises(Refused, match="answers GET and PUT, not POST") as wrong:
        find("POST", "/trainer/api/projects/first/form")
    assert (unknown.value.status, wrong.value.status) == (404, 405)


def test_a_bug_in_one_answer_is_told_logged_and_hurts_no_other(idle, monkeypatch, caplog):
    def broken(server, request):
        raise ZeroDivisionError("no")

    monkeypatch.setattr(now, "now", broken)
    with caplog.at_level(logging.ERROR):
        told = idle.get("now")
    assert (idle.status, "ZeroDivisionError: no" in told["error"]) == (500, True)
    assert "Traceback" in caplog.text
    idle.get("projects")
    assert idle.status == 200
    assert routes.ROUTES is ROUTES


@pytest.mark.parametrize("name", ["..", ".", "a/b", "", " a", "a ", "x" * 61, "a\0b", "a:b", "..\\x", "ä?"])
def test_a_name_that_is_no_projects_is_never_looked_up(idle, home, name):
    with pytest.raises(Refused) as refused:
        idle.server.project(name)
    assert refused.value.status == 404


@pytest.mark.parametrize("run", ["..", ".", "a/b", "../first", "..\\first", "", " x", "a\0", ".hidden", "x" * 121])
def test_a_name_that_is_no_runs_is_never_looked_up(idle, home, run):
    (home / "projects").mkdir()
    (home / "projects" / "job.json").touch()
    with pytest.raises(Refused) as refused:
        idle.server.project("first").run(run)
    assert refused.value.status == 404


def test_a_start_with_complaints_makes_nothing(idle, home, engine):
    engine("return {}")
    told = idle.post("projects/first/runs", step="train", config={"epochs": 0, "model": str(home / "gone.safetensors")})
    assert idle.status == 422
    assert {complaint["path"] for complaint in told["complaints"]} == {"epochs", "model", "dataset.folder"}
    assert list(home.rglob("job.json")) == []


def test_a_start_without_an_engine_is_refused_with_its_state(idle, home, train):
    told = idle.post("projects/first/runs", step="train", config=train)
    state = "The engine is not set up yet: torch and its companions must be installed once."
    assert (idle.status, told["error"]) == (409, f"{state} Set the engine up first; nothing was started.")
    assert list(home.rglob("job.json")) == []


def test_a_comparison_that_the_host_draws_needs_no_engine(idle, host, compare):
    host.drawing = lambda options, run: {}
    assert idle.state(idle.start("compare", compare)) == "queued"


def test_new_runs_do_not_go_to_the_command_lines_project(idle, engine, train):
    engine("return {}")
    idle.post("projects/command-line/runs", step="train", config=train)
    assert idle.status == 409


def test_empty_places_are_filled_with_the_hosts_folders(idle, engine, host, train, compare, home):
    engine("return {}")
    training = idle.get(f"projects/first/runs/{idle.start('train', train)}")
    assert training["config"]["saving"]["folder"] == str(host.folders()["lora"])
    comparison = idle.start("compare", compare)
    output = idle.get(f"projects/first/runs/{comparison}")["config"]["output"]
    assert output == str(home / "projects" / "first" / "comparisons" / comparison)


def test_what_the_user_named_is_not_filled(idle, engine, train, tmp_path):
    engine("return {}")
    run = idle.start("train", {**train, "saving": {"folder": str(tmp_path / "mine")}})
    assert idle.get(f"projects/first/runs/{run}")["config"]["saving"]["folder"] == str(tmp_path / "mine")


def test_a_run_that_a_thread_of_nobody_holds_is_running_and_after_that_interrupted(idle, engine, train):
    """As an engine that dies without a word."""
    engine("return {}")
    run = idle.server.project("first").run(idle.start("train", train))
    with file_lock(run.lock_file):
        assert idle.state(run.path.name) == "starting"
        run.append(Started("train", 1))
        assert idle.state(run.path.name) == "running"
        run.request("stop")
        assert idle.state(run.path.name) == "stopping"
        assert [working["id"] for working in idle.get("now")["running"]] == [run.path.name]
    idle.post(f"projects/first/runs/{run.path.name}/cancel")
    assert idle.get("now")["running"] == []


def test_a_run_whose_folder_vanishes_is_shown_so_and_one_never_seen_is_not_there(idle, engine, train):
    engine("return {}")
    seen = idle.start("train", train)
    shutil.rmtree(idle.server.project("first").run(seen).path)
    told = idle.get(f"projects/first/runs/{seen}")
    assert (told["state"], told["name"], "has vanished" in told["message"]) == ("vanished", "pictures", True)
    assert [run["state"] for run in idle.get("projects/first/runs")["runs"]] == ["vanished"]
    assert idle.get("now")["queue"] == []
    idle.get("projects/first/runs/train-unknown")
    assert idle.status == 404


def test_old_answers_to_the_page_are_cleared_away(idle, home, engine):
    engine("return {}")
    runs = home / "projects" / "first" / "runs"
    for number in range(8):
        run = RunDirectory(runs / f"plan-2020010{number}-000000")
        run.create("plan", {})
        run.append(Finished({}))
    train_run = RunDirectory(runs / "train-20200101-000000")
    train_run.create("train", {})
    prune(idle.server, idle.server.project("first"), "plan")
    left = sorted(path.name.split("-0")[0] for path in runs.iterdir())
    assert left == [f"plan-2020010{number}" for number in range(3, 8)] + ["train-20200101"]


def test_many_threads_asking_at_once_see_no_engine_where_there_is_none(idle, engine, train):
    engine("return {}")
    run = idle.server.project("first").run(idle.start("train", train))
    idle.post(f"projects/first/runs/{run.path.name}/cancel")
    run.append(Started("train", 1))
    run.lock_file.touch()
    seen: set[str] = set()


    def look():
        seen.update(idle.server.state(run) for _ in range(50))

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {"interrupted"}
