"""What stands against a configuration."""

from __future__ import annotations

import pytest

from lib_trainer.ui.checks import in_project
from lib_trainer.ui.projects import project_at
from lib_trainer.ui.server import Server
from tests.ui.conftest import Page, TestHost


def complaints(page, step, config):
    """{path: message}"""
    return {one["path"]: one["message"] for one in page.post("check", step=step, config=config)["complaints"]}


@pytest.mark.parametrize(("changes", "path"), [
    ({"model": "/gone/model.safetensors"}, "model"),
    ({"dataset": {"folder": "/gone/pictures"}}, "dataset.folder"),
    ({"validation": {"folder": "/gone/aside"}}, "validation.folder"),
])  # fmt: skip
def test_a_vanished_file_or_folder_is_a_complaint_at_its_option(idle, train, changes, path):
    found = complaints(idle, "train", {**train, **changes})
    assert list(found) == [path]
    assert f"'{path}'" in found[path]
    assert "/gone/" in found[path]
    assert "is not there (any more); choose another" in found[path]


def test_vanished_networks_of_a_comparison_are_named(idle, compare):
    found = complaints(idle, "compare", {**compare, "networks": [*compare["networks"], "/gone/a.safetensors"]})
    assert list(found) == ["networks"]
    assert "/gone/a.safetensors" in found["networks"]


def test_a_folder_that_is_only_written_to_need_not_be_there(idle, train, tmp_path):
    assert complaints(idle, "train", {**train, "saving": {"folder": str(tmp_path / "new")}}) == {}


def test_a_configuration_without_complaints_comes_back_whole(idle, train, host):
    told = idle.post("check", step="train", config={**train, "epochs": 3})
    assert told["complaints"] == []
    assert (told["config"]["epochs"], told["config"]["optimizer"]["type"]) == (3, "adamw")
    assert told["config"]["saving"]["folder"] == str(host.folders()["lora"])


def test_a_comparison_needs_no_output_of_the_users(idle, compare):
    told = idle.post("check", step="compare", config=compare)
    assert (told["complaints"], told["config"]["output"]) == ([], None)


def test_no_config_comes_with_complaints(idle, train):
    assert idle.post("check", step="train", config={**train, "epochs": 0})["config"] is None


def test_an_unknown_step_is_refused(idle):
    told = idle.post("check", step="tarin", config={})
    assert (idle.status, "Did you mean 'train'?" in told["error"]) == (400, True)


@pytest.mark.parametrize(
    "body", [{}, {"step": "train"}, {"step": 3, "config": {}}, {"step": "train", "config": []}, [], "x", None]
)
def test_a_body_of_another_shape_is_refused_with_a_sentence(idle, body):
    told = idle.ask("POST", "check", body)
    assert idle.status == 400
    assert "in the request" in told["error"]


def test_paths_outside_are_complaints_where_others_can_reach_the_page(home, tmp_path, train):
    host = TestHost()
    host.any_folder = False
    page = Page(Server(host, home))
    found = complaints(page, "train", {**train, "saving": {"folder": "/etc"}})
    assert set(found) == {"model", "dataset.folder", "saving.folder"}
    assert all("outside the folders that may be chosen" in message for message in found.values())
    gone = complaints(page, "train", {**train, "model": "/etc/gone"})["model"]
    there = complaints(page, "train", {**train, "model": "/etc/passwd"})["model"]
    assert gone.replace("gone", "passwd") == there


@pytest.mark.parametrize(("source", "name"), [("/a/cats.zip", "cats"), ("/a/b/dogs", "dogs"), ("/a/x:y.zip", "x_y")])
def test_pictures_are_brought_into_the_project_where_no_folder_is_named(tmp_path, source, name):
    project = project_at(tmp_path, "first")
    told = in_project(project, "import", {"source": [source, "/other"], "duplicates": "keep"})
    assert told["output"] == str(project.pictures_folder / name)
    assert in_project(project, "import", {"source": [source], "output": "/mine"})["output"] == "/mine"
    for config in ({"source": []}, {"source": 7}, {}):
        assert in_project(project, "import", config) == config
    told = in_project(project, "promptlog", {"files": [source], "most": 3})
    assert told == {"files": [source], "most": 3, "output": str(project.pictures_folder / name)}
    assert in_project(project, "inspect", {"source": [source]}) == {"source": [source]}


def test_pictures_of_the_project_are_not_brought_into_their_own_folder(tmp_path):
    project = project_at(tmp_path, "first")
    own = project.pictures_folder / "cats"
    assert in_project(project, "import", {"source": [str(own)]})["output"] == f"{own}-imported"
