from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from lib_trainer.core.errors import OutputError
from lib_trainer.dataset.digests import picture_digests


def settled_file(path: Path, content: bytes, age_seconds: int = 60) -> Path:
    path.write_bytes(content)
    changed = time.time_ns() - age_seconds * 10**9
    os.utime(path, ns=(changed, changed))
    return path


def test_digests_are_those_of_the_bytes(tmp_path: Path) -> None:
    paths = [settled_file(tmp_path / f"{number}.png", bytes([number]) * 3_000_000) for number in range(3)]
    assert picture_digests(paths, tmp_path / "index.json") == {
        path: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths
    }


def test_an_unchanged_file_is_not_read_again(tmp_path: Path) -> None:
    path = settled_file(tmp_path / "a.png", b"first")
    before = picture_digests([path], tmp_path / "index.json")
    status = path.stat()
    path.write_bytes(b"other")  # same size; with the old time put back only the index can know it
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert picture_digests([path], tmp_path / "index.json") == before


@pytest.mark.parametrize(("content", "age_seconds"), [(b"other", 30), (b"longer content", 60)])
def test_a_changed_file_is_read_again(tmp_path: Path, content: bytes, age_seconds: int) -> None:
    path = settled_file(tmp_path / "a.png", b"first")
    picture_digests([path], tmp_path / "index.json")
    settled_file(path, content, age_seconds)
    assert picture_digests([path], tmp_path / "index.json") == {path: hashlib.sha256(content).hexdigest()}


def test_a_file_written_just_now_is_not_remembered(tmp_path: Path) -> None:
    path = settled_file(tmp_path / "a.png", b"first", age_seconds=0)
    picture_digests([path], tmp_path / "index.json")
    status = path.stat()
    path.write_bytes(b"other")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert picture_digests([path], tmp_path / "index.json") == {path: hashlib.sha256(b"other").hexdigest()}


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"a": 3}', '{"a": ["x", 1, "y"]}', "null"])
def test_a_broken_index_only_means_hashing_again(tmp_path: Path, broken: str) -> None:
    path = settled_file(tmp_path / "a.png", b"first")
    (tmp_path / "index.json").write_text(broken, encoding="utf-8")
    assert picture_digests([path], tmp_path / "index.json") == {path: hashlib.sha256(b"first").hexdigest()}


def test_a_file_that_is_gone_is_left_out(tmp_path: Path) -> None:
    path = settled_file(tmp_path / "a.png", b"first")
    assert set(picture_digests([path, tmp_path / "gone.png"], tmp_path / "index.json")) == {path}


def test_an_index_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    path = settled_file(tmp_path / "a.png", b"first")
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    with pytest.raises(OutputError, match=r"index\.json can't be written"):
        picture_digests([path], tmp_path / "file" / "index.json")
