"""Several resolutions in one run: every picture comes in each, and a batch has one size."""

from __future__ import annotations

import dataclasses
from collections import Counter

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import ConfigError  # noqa: E402
from lib_trainer.core.events import Table  # noqa: E402
from lib_trainer.dataset.opening import open_dataset  # noqa: E402
from lib_trainer.dataset.options import DatasetOptions, held_out_options  # noqa: E402
from lib_trainer.dataset.prospects import survey  # noqa: E402
from lib_trainer.images.options import BucketOptions  # noqa: E402

SMALL = BucketOptions(resolution=64, step=8)


@pytest.fixture
def options(tmp_path):
    return DatasetOptions(folder=tmp_path / "pictures", buckets=SMALL, more_resolutions=(96,))


@pytest.mark.option("DatasetOptions.more_resolutions")
def test_every_picture_comes_in_each_resolution_and_a_batch_has_one_size(options, model, context, make_picture):
    square, wide = make_picture("a.png", (200, 200)), make_picture("b.png", (240, 120))
    dataset = open_dataset(dataclasses.replace(options, repeats=3), model, context)
    shown = Counter()
    for plan in dataset.batches(0):
        batch = dataset.load(plan, 0)
        shown.update((path, *batch.mean.shape[2:]) for path in batch.paths)
    assert shown == {(square, 8, 8): 3, (square, 12, 12): 3, (wide, 5, 11): 3, (wide, 8, 17): 3}
    assert dataset.batches_in(0) == len(dataset.batches(0)) == 8


def test_the_frames_tell_the_size_of_each_showing(options, model, context, make_picture):
    make_picture("a.png", (200, 200))
    dataset = open_dataset(options, model, context)
    frames = [dataset.load(plan, 0).frames[0].tolist() for plan in dataset.batches(0)]
    assert sorted(frames) == [[200, 200, 0, 0, 64, 64], [200, 200, 0, 0, 96, 96]]


def test_a_small_picture_that_is_not_enlarged_comes_once(options, model, context, make_picture):
    make_picture("small.png", (48, 48)), make_picture("large.png", (200, 200))
    kept = dataclasses.replace(options, buckets=dataclasses.replace(SMALL, no_upscale=True))
    sizes = Counter((entry.path.stem, entry.bucket) for entry in open_dataset(kept, model, context).entries)
    assert sizes == {("small", (48, 48)): 1, ("large", (64, 64)): 1, ("large", (96, 96)): 1}


def test_the_survey_counts_files_and_showings_apart(options, context, make_picture, model, recording):
    make_picture("a.png", (200, 200)), make_picture("b.png", (240, 120))
    found = survey(options, context.cache, lambda done, total: None)
    assert (len(found.files), len(found.pictures)) == (2, 4)
    open_dataset(options, model, context)
    tables = {table.title: table.rows for table in recording.of(Table)}
    assert ["Pictures in one epoch", "4"] in tables[f"Pictures in {options.folder}"]
    assert [row[:3] for row in tables["Buckets"]] == [
        ["64 x 64", "1", "1"], ["88 x 40", "1", "1"], ["96 x 96", "1", "1"], ["136 x 64", "1", "1"],
    ]  # fmt: skip


def test_a_resolution_that_is_there_already_is_refused(options):
    with pytest.raises(ConfigError, match=r"'dataset.more_resolutions' names 64, which is among the resolutions"):
        dataclasses.replace(options, more_resolutions=(64,))


def test_held_out_pictures_have_one_size(options, tmp_path):
    assert held_out_options(options, tmp_path).resolutions == [64]
