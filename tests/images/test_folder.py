import os
import random
from pathlib import Path

import pytest

from lib_trainer.core.errors import DataError
from lib_trainer.images.options import CaptionOptions

pytestmark = pytest.mark.engine
pytest.importorskip("PIL")

from PIL import Image  # noqa: E402

from lib_trainer.images.folder import scan  # noqa: E402


def picture(path, size=(40, 30), **how):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, "red").save(path, **how)
    return path


def test_pictures_of_all_formats_and_depths_are_found_in_the_order_of_their_paths(tmp_path):
    names = ["b.jpg", "a/z.png", "a/b/c.WEBP", "a-1.avif", "Z.bmp", "a/a.tiff", "c.gif", "d.jpeg", "e.tif"]
    for name in names:
        picture(tmp_path / name)
    found = scan(tmp_path, CaptionOptions())
    assert [entry.path.relative_to(tmp_path).parts for entry in found.pictures] == sorted(
        tuple(name.split("/")) for name in names
    )
    assert found.folder == tmp_path
    assert found.skipped == []
    assert {(entry.width, entry.height) for entry in found.pictures} == {(40, 30)}


def test_sizes_are_those_of_the_upright_picture(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 8
    picture(tmp_path / "photo.jpg", (400, 300), exif=exif)
    (found,) = scan(tmp_path, CaptionOptions()).pictures
    assert (found.width, found.height) == (300, 400)


def test_hidden_files_and_folders_and_other_files_are_passed_over(tmp_path):
    for name in ("a.png", ".b.png", ".cache/c.png", "._a.png"):
        picture(tmp_path / name, format="PNG")
    (tmp_path / "notes.md").write_text("text", encoding="utf-8")
    found = scan(tmp_path, CaptionOptions())
    assert [entry.path.name for entry in found.pictures] == ["a.png"]
    assert found.skipped == []


def test_a_hidden_folder_above_the_chosen_one_does_not_matter(tmp_path):
    picture(tmp_path / ".hidden" / "set" / "a.png")
    assert len(scan(tmp_path / ".hidden" / "set", CaptionOptions()).pictures) == 1


def test_useless_files_are_named_with_their_reason_and_the_rest_is_used(tmp_path):
    picture(tmp_path / "good.png")
    noise = Image.frombytes("RGB", (64, 64), random.Random(1).randbytes(64 * 64 * 3))
    noise.save(tmp_path / "cut.jpg")
    data = (tmp_path / "cut.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(data[: len(data) // 2])
    (tmp_path / "empty.png").touch()
    (tmp_path / "page.png").write_text("<html>", encoding="utf-8")
    (tmp_path / "phone.HEIC").write_bytes(b"whatever")
    picture(tmp_path / "0_unused" / "a.png")
    found = scan(tmp_path, CaptionOptions())
    assert [entry.path.name for entry in found.pictures] == ["good.png"]
    reasons = {str(entry.path.relative_to(tmp_path)): entry.reason for entry in found.skipped}
    assert list(reasons) == [str(Path("0_unused", "a.png")), "cut.jpg", "empty.png", "page.png", "phone.HEIC"]
    expected = ["0 repeats", "truncated", "empty", "known format", "JPEG"]
    for reason, named in zip(reasons.values(), expected, strict=True):
        assert named in reason
        assert str(tmp_path) not in reason


@pytest.mark.parametrize("source", ["files", "file name"])
def test_repeats_of_a_kohya_folder_count_whatever_the_caption_source(tmp_path, source):
    picture(tmp_path / "10_red fox" / "a.png")
    picture(tmp_path / "b.png")
    found = scan(tmp_path, CaptionOptions(source=source))
    assert [entry.repeats for entry in found.pictures] == [10, 1]
    assert any("10 times" in notice for notice in found.notices)


def test_captions_and_their_sources_stand_with_the_pictures(tmp_path):
    picture(tmp_path / "10_red fox" / "a.png")
    picture(tmp_path / "b.png").with_suffix(".txt").write_text("a boat", encoding="utf-8")
    found = scan(tmp_path, CaptionOptions())
    assert [(entry.caption, entry.caption_source) for entry in found.pictures] == [
        ("red fox", "folder name"),
        ("a boat", ".txt"),
    ]


def test_two_pictures_with_one_caption_file_are_reported(tmp_path):
    for name in ("a.jpg", "a.png", "b.png", "sub/a.png"):
        picture(tmp_path / name)
    (notice,) = scan(tmp_path, CaptionOptions()).notices
    assert "a.jpg and a.png" in notice
    assert "a.txt" in notice
    assert scan(tmp_path, CaptionOptions(source="file name")).notices == []


def test_every_file_is_counted_in_the_progress(tmp_path):
    for number in range(5):
        picture(tmp_path / f"{number}.png")
    (tmp_path / "broken.png").touch()
    told = []
    scan(tmp_path, CaptionOptions(), lambda done, total: told.append((done, total)))
    assert told == [(number, 6) for number in range(1, 7)]


def test_what_the_progress_raises_ends_the_scan(tmp_path):
    class EnoughError(Exception):
        pass

    def stop(done, total):
        raise EnoughError

    picture(tmp_path / "a.png")
    with pytest.raises(EnoughError):
        scan(tmp_path, CaptionOptions(), stop)


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_linked_folders_are_searched_and_a_circle_of_links_ends(tmp_path):
    picture(tmp_path / "elsewhere" / "a.png")
    picture(tmp_path / "set" / "b.png")
    (tmp_path / "set" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "set")
    found = scan(tmp_path / "set", CaptionOptions())
    assert [entry.path.name for entry in found.pictures] == ["b.png", "a.png"]


def test_a_missing_folder_a_file_and_an_empty_folder_are_named(tmp_path):
    with pytest.raises(DataError, match=r"missing does not exist"):
        scan(tmp_path / "missing", CaptionOptions())
    with pytest.raises(DataError, match=r"a\.png is a file"):
        scan(picture(tmp_path / "a.png"), CaptionOptions())
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"empty holds no picture"):
        scan(tmp_path / "empty", CaptionOptions())


def test_a_folder_without_a_readable_picture_says_how_many_were_skipped_and_why(tmp_path):
    for name in ("a.png", "b.png", "c.heic"):
        (tmp_path / name).touch()
    with pytest.raises(DataError) as caught:
        scan(tmp_path, CaptionOptions())
    assert "3 files were skipped" in str(caught.value)
    assert "a.png and 1 more: the file is empty" in str(caught.value)
    assert "c.heic: .heic files can't be read" in str(caught.value)
