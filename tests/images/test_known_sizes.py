"""Sizes that were found once are not looked for again as long as the file is as it was."""

from __future__ import annotations

import os

import pytest

pytestmark = pytest.mark.engine
pytest.importorskip("PIL")

from PIL import Image  # noqa: E402

from lib_trainer.core.errors import OutputError  # noqa: E402
from lib_trainer.images import known_sizes  # noqa: E402
from lib_trainer.images.known_sizes import KnownSizes  # noqa: E402
from lib_trainer.images.pixels import PictureError  # noqa: E402


def settled(path, time=10**18):
    os.utime(path, ns=(time, time))
    return path


@pytest.fixture
def picture(tmp_path):
    Image.new("RGB", (20, 10)).save(tmp_path / "a.png")
    return settled(tmp_path / "a.png")


@pytest.fixture
def sizes(tmp_path):
    """`sizes()`: what the cache knows now."""
    return lambda: KnownSizes(tmp_path / "cache", tmp_path)


@pytest.fixture
def looked(monkeypatch):
    """The files that were really looked at."""
    files, measure = [], known_sizes.measure
    monkeypatch.setattr(known_sizes, "measure", lambda path: (files.append(path.name), measure(path))[1])
    return files


def remember(known, path):
    known.measure(path)
    known.save()


def test_a_size_is_looked_for_once(sizes, picture, looked):
    remember(sizes(), picture)
    assert sizes().measure(picture) == (20, 10)
    assert looked == ["a.png"]


@pytest.mark.parametrize("change", ["content", "time"])
def test_a_changed_file_is_looked_at_again(sizes, picture, looked, change):
    remember(sizes(), picture)
    if change == "content":
        Image.new("RGB", (300, 10)).save(picture)
        settled(picture)
    else:
        settled(picture, 10**18 + 1)
    assert sizes().measure(picture) == ((300, 10) if change == "content" else (20, 10))
    assert looked == ["a.png"] * 2


def test_why_a_file_cannot_be_used_is_remembered(sizes, picture, looked):
    picture.write_bytes(b"")
    settled(picture)
    known = sizes()
    with pytest.raises(PictureError):
        known.measure(picture)
    known.save()
    with pytest.raises(PictureError, match=r"a\.png can't be used: the file is empty"):
        sizes().measure(picture)
    assert looked == ["a.png"]


def test_a_file_written_just_now_is_not_remembered(sizes, picture, looked):
    picture.touch()
    remember(sizes(), picture)
    sizes().measure(picture)
    assert looked == ["a.png"] * 2


def test_a_damaged_index_counts_as_none(sizes, picture, looked, tmp_path):
    remember(sizes(), picture)
    (index,) = (tmp_path / "cache" / "sizes").iterdir()
    index.write_text('{"a": [1]}', encoding="utf-8")
    assert sizes().measure(picture) == (20, 10)


def test_an_index_that_cannot_be_written_is_named(picture, tmp_path):
    known = KnownSizes(picture, tmp_path)
    known.measure(picture)
    with pytest.raises(OutputError, match=r"a\.png.* can't be written"):
        known.save()
