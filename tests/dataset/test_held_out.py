"""The share of pictures kept aside: none is on both sides, copies stay together, and chance has no say."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import DataError  # noqa: E402
from lib_trainer.dataset.crop_options import CropOptions  # noqa: E402
from lib_trainer.dataset.entries import find_entries  # noqa: E402
from lib_trainer.dataset.held_out import divided, held_out, trained  # noqa: E402
from lib_trainer.dataset.opening import open_divided  # noqa: E402
from lib_trainer.dataset.options import DatasetOptions  # noqa: E402
from lib_trainer.dataset.prospects import survey  # noqa: E402
from lib_trainer.images.options import BucketOptions  # noqa: E402

SMALL = BucketOptions(resolution=64, step=8)


def contents(count):
    return {Path(f"{number}.png"): f"{number:064x}" for number in range(count)}


@pytest.mark.parametrize(("count", "share", "kept"), [(30, 0.1, 3), (15, 0.1, 2), (10, 0.5, 5), (2, 0.01, 1)])
def test_at_least_the_share_is_kept_aside(count, share, kept):
    assert len(held_out(contents(count), share, 1)) == kept


def test_the_same_ones_each_time_and_others_by_another_seed():
    pictures = contents(40)
    backwards = dict(reversed(pictures.items()))
    assert held_out(pictures, 0.2, 1) == held_out(backwards, 0.2, 1) != held_out(pictures, 0.2, 2)


def test_a_new_name_changes_nothing_and_one_picture_more_at_most_one():
    pictures = contents(40)
    before = held_out(pictures, 0.2, 1)
    renamed = {Path(f"other/{path}"): digest for path, digest in pictures.items()}
    assert {path.name for path in held_out(renamed, 0.2, 1)} == {path.name for path in before}
    assert len(held_out(contents(41), 0.2, 1) - before) <= 2  # one that is new, and one as 0.2 of 41 is 9 then


def test_copies_of_a_file_stay_on_one_side():
    pictures = contents(20)
    twice = pictures | {Path(f"copy {path}"): digest for path, digest in pictures.items()}
    kept = held_out(twice, 0.25, 3)
    assert {path.name.removeprefix("copy ") for path in kept} == {path.name for path in held_out(pictures, 0.25, 3)}
    assert len(kept) == 10


def test_something_must_be_left_to_train_on():
    with pytest.raises(DataError, match="the only picture would be kept aside"):
        held_out(contents(1), 0.1, 1)


@pytest.fixture
def options(make_picture, tmp_path):
    for number in range(8):
        make_picture(f"{number}.png", caption=f"picture {number}")
    shutil.copy(tmp_path / "pictures" / "0.png", tmp_path / "pictures" / "again.png")
    return DatasetOptions(
        folder=tmp_path / "pictures", buckets=SMALL, repeats=3, flip=0.5, more_resolutions=(96,),
        crop=CropOptions(jitter=0.1),
    )  # fmt: skip


def test_what_is_kept_aside_comes_once_with_nothing_varied(options, context):
    entries = find_entries(options, context)
    learnt, aside = divided(entries, 0.25, 1)
    assert {entry.path for entry in learnt}.isdisjoint(entry.path for entry in aside)
    assert {entry.path for entry in learnt} | {entry.path for entry in aside} == {entry.path for entry in entries}
    assert [entry.path for entry in aside] == sorted({entry.path for entry in aside})
    assert {(entry.repeats, entry.crops, entry.bucket) for entry in aside} == {(1, (), (64, 64))}
    assert {entry.repeats for entry in learnt} == {3}


def test_what_is_planned_is_what_is_trained_on(options, context, model, recording, tmp_path):
    learnt, aside = open_divided(options, model, context, 0.25, 1)
    found = survey(options, tmp_path / "cache", lambda done, total: None)
    left = trained(found.pictures, options, tmp_path / "cache", 0.25, 1)
    assert [picture.path for picture in left] == [entry.path for entry in learnt.entries]
    assert [picture.caption for picture in left] == [entry.caption for entry in learnt.entries]
    assert f"{len(aside.entries)} of 9 pictures are kept aside" in recording.messages
    captions = [caption for plan in aside.batches(0) for caption in aside.load(plan, 0).captions]
    assert sorted(captions) == sorted(entry.caption for entry in aside.entries)
