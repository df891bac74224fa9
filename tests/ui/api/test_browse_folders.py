"""Looking for a folder."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

FOLDERS = "/trainer/api/folders"


def test_a_folder_shows_its_folders_in_natural_order_without_hidden_ones_and_files(browser, tmp_path, picture):
    for name in ("10 cats", "2 cats", "Apes", ".hidden", "bears"):
        (tmp_path / "all" / name).mkdir(parents=True)
    picture("all/a.png")
    told = browser.get(FOLDERS, path=tmp_path / "all").data
    assert told["folders"] == ["Apes", "bears", "2 cats", "10 cats"]
    assert (told["path"], told["parent"], told["files"]) == (str(tmp_path / "all"), str(tmp_path), [])


def test_pictures_are_counted_also_in_the_folders_inside(browser, tmp_path, picture):
    for name in ("a.png", "b.JPG", "c.txt", ".d.png", "10_cat/e.webp", ".hidden/f.png"):
        picture(f"all/{name}")
    assert browser.get(FOLDERS, path=tmp_path / "all").data["pictures"] == 3


def test_only_so_many_files_are_looked_at(browser, tmp_path, picture, monkeypatch):
    monkeypatch.setattr("lib_trainer.ui.api.folders.MOST_LOOKED_AT", 3)
    for number in range(5):
        picture(f"all/{number}.png")
    assert browser.get(FOLDERS, path=tmp_path / "all").data["pictures"] == 3


def test_files_of_the_wanted_endings_are_listed_and_a_files_path_shows_its_folder(browser, tmp_path, picture):
    for name in ("m10.safetensors", "m2.SAFETENSORS", "m1.ckpt", "m.txt", ".m.ckpt"):
        picture(f"models/{name}")
    told = browser.get(FOLDERS, path=tmp_path / "models" / "m1.ckpt", files=".safetensors,.ckpt").data
    assert told["path"] == str(tmp_path / "models")
    assert told["files"] == ["m1.ckpt", "m2.SAFETENSORS", "m10.safetensors"]


def test_without_a_path_the_first_root_that_is_there_is_shown(browser, guest, tmp_path):
    assert guest.get(FOLDERS).data["path"] == str(tmp_path / "webui")
    assert guest.get(FOLDERS).data["roots"] == [str(tmp_path / "webui")]
    assert browser.get(FOLDERS).data["path"] == str(Path.home())
    assert str(Path.home()) in browser.get(FOLDERS).data["roots"]


def test_where_nothing_is_there_to_begin_with_that_is_told(guest, tmp_path):
    (tmp_path / "webui").rename(tmp_path / "gone")
    answer = guest.get(FOLDERS)
    assert (answer.status, answer.error) == (404, f"The folder {tmp_path / 'webui'} does not exist (any more); "
                                             "make it, then look again.")  # fmt: skip


def test_a_guest_can_not_go_above_the_root_nor_through_a_link(guest, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "webui" / "link").symlink_to(tmp_path / "outside")
    (tmp_path / "webui" / "back").symlink_to(tmp_path / "webui" / "models")
    told = guest.get(FOLDERS, path=tmp_path / "webui").data
    assert (told["parent"], told["folders"]) == (None, ["back", "models"])
    for place in (tmp_path, tmp_path / "outside", tmp_path / "webui" / "link", "/"):
        assert guest.get(FOLDERS, path=place).status == 403


def test_the_top_of_the_disk_has_no_parent(browser):
    assert browser.get(FOLDERS, path=Path.home().anchor).data["parent"] is None


@pytest.mark.parametrize("name", ["gone", "file.png/below"])
def test_a_vanished_folder_is_named(browser, tmp_path, picture, name):
    picture("file.png")
    answer = browser.get(FOLDERS, path=tmp_path / name)
    assert answer.status == 404
    assert answer.error == f"The folder {tmp_path / name} does not exist (any more); choose another."


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX rights")
def test_a_folder_that_can_not_be_opened_is_a_sentence(browser, tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("lib_trainer.ui.api.folders.os.scandir", refuse)  # tests may run as root, whom no right stops
    answer = browser.get(FOLDERS, path=tmp_path)
    assert (answer.status, answer.error) == (403, f"The folder {tmp_path} can't be opened: Permission denied. "
                                             "Choose another.")  # fmt: skip


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="names of any bytes")
def test_a_name_that_is_no_text_does_not_stop_the_others(browser, tmp_path):
    (tmp_path / "all" / "b\udcff").mkdir(parents=True)
    (tmp_path / "all" / "a").mkdir()
    assert browser.get(FOLDERS, path=tmp_path / "all").data["folders"] == ["a", "b\udcff"]
