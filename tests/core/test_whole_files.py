"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lib_trainer.core.whole_files import remove, remove_leftovers, whole_file, whole_folder, write_text


def test_the_file_takes_its_name_only_at_the_end(tmp_path):
    path = tmp_path / "a.bin"
    with whole_file(path) as file:
        file.write(b"half")
        assert not path.exists()
        assert [other.suffix for other in tmp_path.iterdir()] == [".tmp"]
    assert path.read_bytes() == b"half"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_in_the_middle_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), whole_file(path) as file:
        file.write(b"new")
        raise ZeroDivisionError
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_refuses_to_flush_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_text(path, "new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_existing_file_is_replaced(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old and longer")
    write_text(path, "neu: ü")
    assert path.read_bytes() == "neu: ü".encode()


def test_the_folder_is_made(tmp_path):
    write_text(tmp_path / "new" / "deep" / "a.txt", "x")
    assert (tmp_path / "new" / "deep" / "a.txt").read_text(encoding="utf-8") == "x"


def test_a_file_where_the_folder_should_be_is_the_disks_own_error(tmp_path):
    (tmp_path / "in the way").write_text("", encoding="utf-8")
    with pytest.raises(OSError, match="in the way"):
        write_text(tmp_path / "in the way" / "a.txt", "x")


def test_a_folder_takes_its_name_only_at_the_end_and_replaces_the_old_one(tmp_path):
    path = tmp_path / "folder"
    (path / "old").mkdir(parents=True)
    with whole_folder(path) as made:
        (made / "inside").mkdir()
        (made / "inside" / "new.txt").write_text("new", encoding="utf-8")
        assert (path / "old").exists() and made.suffix == ".tmp"
    assert [file.relative_to(path).as_posix() for file in path.rglob("*")] == ["inside", "inside/new.txt"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_in_the_middle_leaves_the_old_folder_and_nothing_else(tmp_path):
    path = tmp_path / "folder"
    path.mkdir()
    (path / "old").touch()
    with pytest.raises(ZeroDivisionError), whole_folder(path) as made:
        (made / "new").touch()
        raise ZeroDivisionError
    assert [file.name for file in path.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_can_not_take_its_name_gives_it_back_to_the_old_one(tmp_path, monkeypatch):
    path, rename = tmp_path / "folder", type(tmp_path).replace
    path.mkdir()
    (path / "old").touch()

    def refused(self, target):
        if (self / "new").exists():
            raise OSError(13, "Permission denied")
        return rename(self, target)

    monkeypatch.setattr(type(path), "replace", refused)
    with pytest.raises(OSError, match="Permission denied"), whole_folder(path) as made:
        (made / "new").touch()
    assert [file.name for file in path.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [path]


def test_files_and_folders_are_removed_and_what_is_gone_is_no_error(tmp_path):
    (tmp_path / "folder" / "inside").mkdir(parents=True)
    (tmp_path / "file").touch()
    for name in ("folder", "file", "gone"):
        remove(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["x" * 251 + ".png", "ä" * 125 + ".png"])
def test_a_file_may_have_the_longest_name_that_the_disk_takes(tmp_path, name):
    write_text(tmp_path / name, "text")
    assert [path.name for path in tmp_path.iterdir()] == [name]


KILLED = """
import os, sys
from pathlib import Path
from lib_trainer.core.whole_files import whole_file, whole_folder
place = Path(sys.argv[1])
with whole_file(place / "in" / "a.txt") as file, whole_folder(place / "b") as folder:
    file.write(b"half")
    (folder / "c").touch()
    os.kill(os.getpid(), 9)
"""


@pytest.mark.skipif(os.name == "nt", reason="nothing is killed that way there")
def test_what_a_killed_process_was_writing_is_removed_and_nothing_else(tmp_path):
    for name in ("notes.tmp", "a.1-2.tmp.txt", "b.txt"):
        (tmp_path / name).touch()
    own = sorted(tmp_path.iterdir())
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=Path(__file__).parents[2], check=False)
    assert len(list(tmp_path.rglob("*.tmp"))) == 3
    remove_leftovers(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([*own, tmp_path / "in"])
    assert list((tmp_path / "in").iterdir()) == []
