"""Deleting runs, and bringing them back."""

from __future__ import annotations

import shutil

import pytest

from lib_trainer.core.events import Finished, Saved, Started
from lib_trainer.core.file_lock import file_lock
from lib_trainer.ui.queue import Entry
from lib_trainer.ui.removal import networks_of


@pytest.fixture
def trained(idle, engine, train, tmp_path):
    """A finished run with two networks; what lies beside them, and one of somebody else's."""
    engine("return {}")
    run = idle.server.project("first").run(idle.start("train", train))
    idle.server.queue.remove(Entry("first", run.path.name))
    run.append(Started("train", 1))
    loras = tmp_path / "loras"
    loras.mkdir()
    ours = ("a-e001.safetensors", "a-e001.json", "a-e001.preview.png", "a-e002.safetensors")
    for name in (*ours, "b.safetensors", "b.json"):
        (loras / name).write_text(name, encoding="utf-8")
    for epoch in (1, 2):
        run.append(Saved("network", str(loras / f"a-e00{epoch}.safetensors"), epoch, epoch))
    run.append(Finished({}))
    return run


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_deleting_moves_the_runs_folder_into_the_bin_and_leaves_the_networks(idle, trained, home, tmp_path):
    told = idle.post(f"projects/first/runs/{trained.path.name}/delete", files=False)
    assert told["deleted"] == [str(trained.path)]
    assert not trained.path.exists()
    assert told["bin"].startswith(str(home / "bin"))
    assert len(names_in(tmp_path / "loras")) == 6
    assert idle.get("projects/first/runs")["runs"] == []
    idle.get(f"projects/first/runs/{trained.path.name}")
    assert idle.status == 404


def test_networks_go_with_what_lies_beside_them_when_asked_and_nobody_elses(idle, trained, tmp_path):
    idle.post(f"projects/first/runs/{trained.path.name}/delete", files=True)
    assert names_in(tmp_path / "loras") == ["b.json", "b.safetensors"]


def test_a_checkpoints_configuration_goes_with_it_and_what_lies_beside_a_lora_stays(idle, trained, tmp_path, train):
    yaml = tmp_path / "loras" / "a-e001.yaml"
    yaml.write_text("model: {}", encoding="utf-8")
    full = idle.server.project("first").run(idle.start("train", {**train, "trainable": "full"}))
    idle.server.queue.remove(Entry("first", full.path.name))
    full.append(Saved("network", str(tmp_path / "loras" / "a-e001.safetensors"), 1, 1))
    assert yaml not in networks_of(idle.server, trained)
    assert yaml in networks_of(idle.server, full)


def test_everything_comes_back_from_the_bin(idle, trained, tmp_path, home):
    before = idle.get(f"projects/first/runs/{trained.path.name}")
    told = idle.post(f"projects/first/runs/{trained.path.name}/delete", files=True)
    idle.post(f"projects/first/runs/{trained.path.name}/undelete", bin=told["bin"])
    assert idle.status == 200
    assert idle.get(f"projects/first/runs/{trained.path.name}") == before
    assert (tmp_path / "loras" / "a-e001.json").read_text(encoding="utf-8") == "a-e001.json"
    assert names_in(home / "bin") == []


def test_a_queued_run_leaves_the_queue_when_it_is_deleted(idle, engine, train):
    engine("return {}")
    run = idle.start("train", train)
    idle.post(f"projects/first/runs/{run}/delete", files=False)
    assert (idle.status, idle.server.queue.entries()) == (200, [])


def test_a_run_that_is_worked_on_is_not_deleted(idle, trained):
    trained.append(Started("train", 1))
    with file_lock(trained.lock_file):
        told = idle.post(f"projects/first/runs/{trained.path.name}/delete", files=True)
    assert (idle.status, "stop it first" in told["error"]) == (409, True)
    assert trained.path.exists()


def test_what_can_not_be_moved_leaves_everything_as_it_was(idle, trained, tmp_path, monkeypatch):
    moved, move = [], shutil.move

    def fails_at_the_third(source, target):
        if len(moved) == 2:
            moved.append("")
            raise OSError("in use")
        moved.append(source)
        return move(source, target)

    monkeypatch.setattr(shutil, "move", fails_at_the_third)
    told = idle.post(f"projects/first/runs/{trained.path.name}/delete", files=True)
    assert (idle.status, "in use" in told["error"], "Nothing was moved" in told["error"]) == (400, True, True)
    assert trained.job_file.exists()
    assert len(names_in(tmp_path / "loras")) == 6


def test_a_place_that_is_taken_again_is_not_overwritten(idle, trained, tmp_path):
    told = idle.post(f"projects/first/runs/{trained.path.name}/delete", files=True)
    (tmp_path / "loras" / "a-e001.safetensors").write_text("new", encoding="utf-8")
    idle.post(f"projects/first/runs/{trained.path.name}/undelete", bin=told["bin"])
    assert idle.status == 409
    assert (tmp_path / "loras" / "a-e001.safetensors").read_text(encoding="utf-8") == "new"
    assert not trained.path.exists()


@pytest.mark.parametrize("place", ["", "/", "..", "{home}", "{home}/bin", "{home}/bin/../bin/x", "{bin}/.."])
def test_only_a_place_in_the_bin_gives_a_run_back(idle, trained, home, place):
    told = idle.post(f"projects/first/runs/{trained.path.name}/delete", files=False)
    idle.post(f"projects/first/runs/{trained.path.name}/undelete", bin=place.format(home=home, bin=told["bin"]))
    assert idle.status == 404


def test_a_place_in_the_bin_gives_back_only_its_own_run(idle, trained, home):
    told = idle.post(f"projects/first/runs/{trained.path.name}/delete", files=False)
    idle.post("projects/first/runs/train-other/undelete", bin=told["bin"])
    assert idle.status == 404


def test_two_runs_of_one_name_have_places_of_their_own(idle, trained):
    first = idle.post(f"projects/first/runs/{trained.path.name}/delete", files=False)
    trained.create("train", {})
    second = idle.post(f"projects/first/runs/{trained.path.name}/delete", files=False)
    assert first["bin"] != second["bin"]
