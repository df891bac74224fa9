"""Files that are dropped onto the page."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from tests.ui.api.conftest import PNG, PROJECT


@pytest.fixture
def upload(browser, tmp_path):
    """`upload("a.png", b"...", "cats")`: the answer to this file."""

    def made(name, content=PNG, folder="cats"):
        arrived = tmp_path / "arrived"
        arrived.write_bytes(content)
        return browser.ask("POST", f"{PROJECT}/upload?{urlencode({'name': name, 'folder': folder})}", upload=arrived)

    return made


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "data" / "projects" / "first" / "pictures" / "cats"


def test_a_file_is_put_into_the_projects_folder_under_its_name(upload, folder):
    assert upload("My cät (1).JPG").data == {"path": str(folder / "My cät (1).JPG")}
    assert (folder / "My cät (1).JPG").read_bytes() == PNG
    assert len(list(folder.iterdir())) == 1


def test_a_taken_name_gets_a_number_and_the_same_file_is_not_put_twice(upload, folder):
    told = [upload("a.png", content).data["path"] for content in (b"one", b"two", b"three", b"two", b"one")]
    assert told == [str(folder / name) for name in ("a.png", "a-2.png", "a-3.png", "a-2.png", "a.png")]
    assert (folder / "a-2.png").read_bytes() == b"two"


def test_a_caption_follows_the_picture_whose_name_was_taken(upload, folder):
    for name, content in (("a.png", b"one"), ("a.txt", b"a cat"), ("a.png", b"two"), ("a.txt", b"a dog")):
        assert upload(name, content).status == 200
    assert (folder / "a-2.txt").read_bytes() == b"a dog"


def test_a_caption_that_no_picture_would_have_is_refused(upload, folder):
    upload("a.png", b"one")
    upload("a.txt", b"a cat")
    answer = upload("a.txt", b"a dog")
    assert answer.status == 409 and answer.error.startswith("a.txt is there already with another text")
    assert sorted(path.name for path in folder.iterdir()) == ["a.png", "a.txt"]


@pytest.mark.parametrize("name", ["a.rar", "a.html", "a.py", "a", "a.safetensors", "a.png.exe", "a.svg"])
def test_other_types_are_refused_with_those_that_can_be_taken(upload, folder, name):
    answer = upload(name)
    assert answer.status == 415 and f"{name} can't be taken" in answer.error and ".webp" in answer.error
    assert not folder.exists()


@pytest.mark.parametrize("name", ["set.zip", "train-00000.PARQUET", "log.csv", "meta_cap.json"])
def test_archives_and_tables_go_where_they_are_brought_in_from(upload, tmp_path, folder, name, monkeypatch):
    monkeypatch.setattr("lib_trainer.ui.uploads.MOST_BYTES", 1)
    place = tmp_path / "data" / "projects" / "first" / "archives" / name
    assert upload(name, b"anything").data == {"path": str(place)}
    assert place.read_bytes() == b"anything"
    assert not folder.exists()


@pytest.mark.parametrize(
    ("name", "target"), [("../a.png", "cats"), (".a.png", "cats"), ("a.png", "../cats"), ("a.png", "")]
)
def test_odd_names_are_refused(upload, tmp_path, name, target):
    assert upload(name, folder=target).status == 400
    assert not (tmp_path / "data").exists()


def test_a_file_that_is_too_large_or_did_not_arrive_is_refused(upload, browser, folder, monkeypatch):
    monkeypatch.setattr("lib_trainer.ui.uploads.MOST_BYTES", 10)
    answer = upload("a.png", b"x" * 11)
    assert (answer.status, answer.error) == (413, "a.png has 11 bytes; at most 10 bytes can be taken.")
    assert browser.ask("POST", f"{PROJECT}/upload?name=a.png&folder=cats").status == 400
    assert not folder.exists()


def test_a_full_disk_is_told_and_leaves_no_half_file(upload, folder, monkeypatch):
    def full(source, target):
        target.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lib_trainer.ui.api.uploads.shutil.copyfileobj", full)
    answer = upload("a.png")
    assert answer.status == 400 and "No space left" in answer.error
    assert list(folder.iterdir()) == []
