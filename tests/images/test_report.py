import pytest

from lib_trainer.images.options import BucketOptions
from lib_trainer.images.pictures import Picture, PictureFolder, Skipped
from lib_trainer.images.report import MOST_NOTICES, MOST_ROWS, describe_pictures, picture_notices


@pytest.fixture
def folder(tmp_path):
    return PictureFolder(
        tmp_path,
        [
            Picture(tmp_path / "a.png", 512, 512, "a", ".txt"),
            Picture(tmp_path / "b.png", 100, 100, "b", ".txt", repeats=10),
            Picture(tmp_path / "c.png", 900, 300, "", "none"),
        ],
        [Skipped(tmp_path / "sub" / "x.png", "the file is empty")],
    )


def test_found_captioned_skipped_and_repeats_are_told(folder):
    found, skipped, _ = describe_pictures(folder, [BucketOptions()], repeats=2)
    assert dict(found.rows) == {
        "Pictures found": "3",
        "Captioned from .txt": "2",
        "Without a caption": "1",
        "Skipped files": "1",
        "Repeated 2 times": "2",
        "Repeated 20 times": "1",
        "Pictures in one epoch": "24",
    }
    assert skipped.rows == [[str((folder.folder / "sub/x.png").relative_to(folder.folder)), "the file is empty"]]


def test_buckets_are_counted_before_and_after_repeats(folder):
    *_, buckets = describe_pictures(folder, [BucketOptions()])
    assert buckets.columns == ["Size", "Pictures", "In one epoch", "Enlarged"]
    assert buckets.rows == [["512 x 512", "2", "11", "1"], ["832 x 256", "1", "1", "0"]]


def test_there_is_no_table_without_a_subject(folder):
    assert len(describe_pictures(PictureFolder(folder.folder, folder.pictures))) == 1


def test_very_long_lists_are_cut_and_say_so(tmp_path):
    skipped = [Skipped(tmp_path / f"{n}.png", "the file is empty") for n in range(MOST_ROWS + 7)]
    notices = [f"notice {n}" for n in range(MOST_NOTICES + 3)]
    folder = PictureFolder(tmp_path, [], skipped, notices)
    assert describe_pictures(folder)[1].rows[-1] == ["and 7 more", ""]
    told = picture_notices(folder)
    assert len(told) == MOST_NOTICES + 1
    assert "3 more" in told[-1].message
