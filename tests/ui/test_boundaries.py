"""Where the page may choose when others can reach it."""

from __future__ import annotations

import pytest

from lib_trainer.ui.boundaries import DEMO, Boundaries
from lib_trainer.ui.host import Checkpoint, Host
from lib_trainer.ui.web import Refused


class Bounded(Host):
    """A host with one folder and a model elsewhere."""

    any_folder = False

    def __init__(self, folder):
        self.folder = folder

    def roots(self):
        return [self.folder / "webui"]

    def folders(self):
        return {"lora": self.folder / "loras"}

    def checkpoints(self):
        return [Checkpoint("model", self.folder / "elsewhere" / "model.safetensors")]


@pytest.fixture
def bounds(tmp_path):
    (tmp_path / "webui").mkdir()
    return Boundaries(Bounded(tmp_path), tmp_path / "home")


@pytest.mark.parametrize("place", ["webui", "webui/new/folder", "loras/a.safetensors", "home/projects"])
def test_the_hosts_folders_and_the_trainers_data_may_be_chosen(bounds, tmp_path, place):
    assert bounds.chosen(str(tmp_path / place)) == tmp_path / place


def test_the_demo_and_a_listed_model_may_be_chosen(bounds, tmp_path):
    assert bounds.allows(DEMO / "pictures")
    assert bounds.allows(tmp_path / "elsewhere" / "model.safetensors")


@pytest.mark.parametrize(
    "place", ["", "other", "webui/../other", "webui2", "webui/link/x", "elsewhere/other.safetensors"]
)
def test_anything_else_is_refused_and_the_allowed_folders_named(bounds, tmp_path, place):
    (tmp_path / "other").mkdir()
    (tmp_path / "webui" / "link").symlink_to(tmp_path / "other")
    with pytest.raises(Refused, match=r"outside the folders that may be chosen here.*webui") as refused:
        bounds.chosen(f"{tmp_path}/{place}")
    assert refused.value.status == 403


def test_a_detour_behind_a_link_is_judged_as_the_engine_will_go(bounds, tmp_path):
    (tmp_path / "other" / "folder").mkdir(parents=True)
    (tmp_path / "webui" / "link").symlink_to(tmp_path / "other" / "folder")
    assert bounds.objection(tmp_path / "webui" / "link" / ".." / "secret")


def test_where_any_folder_may_be_chosen_only_what_can_be_no_path_is_refused(tmp_path):
    bounds = Boundaries(Host(), tmp_path)
    assert bounds.chosen(str(tmp_path.parent)) == tmp_path.parent
    assert "can't be a path" in bounds.objection(tmp_path / "a\0b")
