"""Files that are there whole or not at all."""

from __future__ import annotations

import os

import pytest

from lib_trainer.core.whole_files import whole_file, write_text


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
