"""The engine's set-up from the page, in a thread of the host."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lib_trainer.core.events import Started
from lib_trainer.core.file_lock import file_lock
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.ui import engine as module
from lib_trainer.ui.server import Server
from tests.ui.conftest import Page, TestHost, wait_for


def set_up(page, **options):
    """Its events and state when it has ended."""
    page.post("setup", options=options)
    assert page.status == 200
    wait_for(lambda: page.get("setup/events")["state"] != "running")
    return page.get("setup/events")


def test_before_the_first_set_up_there_is_nothing_to_tell(idle):
    assert idle.get("setup/events") == {"events": [], "next": 0, "state": "idle"}
    now = idle.get("now")
    assert (now["setup"], now["engine"]["status"]) == ("idle", "absent")


def test_a_set_up_that_fails_says_why_and_can_be_tried_again(idle):
    for _ in range(2):
        told = set_up(idle, offline=True)
        assert [event["event"] for event in told["events"]] == ["started", "failed"]
        assert "'offline' forbids the network" in told["events"][-1]["message"]
        assert (told["state"], idle.get("now")["setup"]) == ("failed", "failed")


def test_a_set_up_tells_what_it_does_and_ends_with_the_engines_python(idle, monkeypatch, tmp_path):
    def quick(options, home, on_event, should_stop):
        on_event(module.Started("x", 1))
        return tmp_path / "python"

    monkeypatch.setattr(module, "ensure_engine", quick)
    told = set_up(idle)
    assert told["state"] == "finished"
    assert told["events"][-1]["result"] == {"python": str(tmp_path / "python")}
    assert idle.get("now")["setup"] == "idle"


def test_a_set_up_can_be_stopped_and_only_one_runs(idle, home):
    home.mkdir(exist_ok=True)
    with file_lock(home / "engine.lock"):  # as another set-up does: this one waits for it
        idle.post("setup", options={})
        wait_for(lambda: len(idle.get("setup/events")["events"]) == 2)
        assert idle.get("now")["setup"] == "running"
        idle.post("setup", options={})
        assert idle.status == 409
        idle.post("setup/stop")
        wait_for(lambda: idle.get("setup/events")["state"] == "stopped")
    assert idle.get("now")["setup"] == "idle"
    idle.post("setup/stop")
    assert idle.status == 409


def test_a_bug_in_the_set_up_ends_it_as_failed(idle, monkeypatch):
    def broken(options, home, on_event, should_stop):
        raise ZeroDivisionError("no")

    monkeypatch.setattr(module, "ensure_engine", broken)
    assert set_up(idle)["events"][-1]["message"] == "ZeroDivisionError: no"


def test_a_set_up_that_died_with_its_host_has_failed(idle, home):
    run = RunDirectory(home / "setup")
    run.path.mkdir(parents=True)
    run.append(Started("setup", 1))
    assert idle.get("setup/events")["state"] == "failed"
    assert idle.get("now")["setup"] == "failed"


def test_another_host_of_the_same_folder_sees_the_set_up(idle, home):
    with file_lock(home / "engine.lock"):
        idle.post("setup", options={})
        other = Page(Server(TestHost(), home))
        wait_for(lambda: other.get("setup/events")["state"] == "running")
        other.post("setup", options={})
        assert other.status == 409
        other.post("setup/stop")
        wait_for(lambda: idle.get("setup/events")["state"] == "stopped")


@pytest.mark.parametrize(("options", "path"), [
    ({"offline": "perhaps"}, "offline"), ({"pyhton": "/x"}, "pyhton"), ({"torch_build": "fast"}, "torch_build"),
])  # fmt: skip
def test_wrong_options_are_complaints(idle, options, path):
    told = idle.post("setup", options=options)
    assert (idle.status, [one["path"] for one in told["complaints"]]) == (422, [path])


@pytest.mark.parametrize("options", [
    {"python": sys.executable}, {"wheels": "/tmp"}, {"torch_index": "https://x/y"}, {"package_index": "https://x/y"},
])  # fmt: skip
def test_who_reaches_the_page_from_outside_can_not_name_programs(home, options):
    host = TestHost()
    host.any_folder = False
    page = Page(Server(host, home))
    told = page.post("setup", options=options)
    assert (page.status, "others can reach this page" in told["error"]) == (403, True)


def test_a_python_that_was_named_at_the_start_is_the_engines(idle, host):
    host.python = Path(sys.executable)
    assert idle.get("now")["engine"]["status"] == "ready"
    host.python = Path("/nowhere/python")
    engine = idle.get("now")["engine"]
    assert (engine["status"], "/nowhere/python" in engine["message"]) == ("absent", True)
