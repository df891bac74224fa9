"""Crops by chance: where they lie, how large they are, and that latents, masks and frames follow them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy
import pytest
from PIL import Image

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.dataset.cache import View  # noqa: E402
from lib_trainer.dataset.crop_options import CropOptions  # noqa: E402
from lib_trainer.dataset.crops import crops  # noqa: E402
from lib_trainer.dataset.decoding import decode  # noqa: E402
from lib_trainer.dataset.mask_options import MaskOptions  # noqa: E402
from lib_trainer.dataset.opening import open_dataset  # noqa: E402
from lib_trainer.dataset.options import DatasetOptions, held_out_options  # noqa: E402
from lib_trainer.images.buckets import cover  # noqa: E402
from lib_trainer.images.options import BucketOptions  # noqa: E402

SQUARE = BucketOptions(resolution=64, step=8, square=True)


def middle(size=(192, 64), target=(64, 64), digest="digest"):
    return View(Path("a.png"), digest, *cover(*size, target))


def many(seed=0, view=None, **options):
    return crops(view or middle(), CropOptions(**{"variants": 100, **options}), seed)


def test_without_variation_the_middle_is_shown():
    assert crops(middle(), CropOptions(variants=100), seed=0) == (middle(),)


@pytest.mark.option("CropOptions.place")
def test_a_random_place_is_anywhere_along_the_longer_side():
    found = many(place="random")
    assert {view.scaled for view in found} == {(192, 64)}
    assert {view.size for view in found} == {(64, 64)}
    lefts = sorted(view.box[0] for view in found)
    assert lefts[0] < 8 and lefts[-1] > 120 and 40 < numpy.mean(lefts) < 88
    assert all(view.box[0] >= 0 and view.box[2] <= 192 and view.box[1] == 0 for view in found)


@pytest.mark.option("CropOptions.jitter")
def test_jitter_cuts_away_up_to_its_share_within_what_the_middle_shows():
    found = many(view=middle((1536, 512), (512, 512)), jitter=0.1)
    shares = [512 / view.scaled[1] for view in found]  # of the height that is shown
    assert min(shares) > 0.899 and max(shares) < 1.0001
    assert numpy.mean(shares) == pytest.approx(0.95, abs=0.01)
    for view, share in zip(found, shares, strict=True):
        left, top, right, bottom = (edge * share for edge in view.box)  # in pixels before the zoom
        assert view.size == (512, 512)
        assert left > 511 and right < 1025 and top > -1 and bottom < 513
    assert len({view.box[:2] for view in found}) > 80


def test_jitter_and_a_random_place_together_reach_the_whole_picture():
    found = many(view=middle((1536, 512), (512, 512)), jitter=0.2, place="random")
    lefts = [view.box[0] / view.scaled[0] for view in found]
    assert min(lefts) < 0.05 and max(lefts) > 0.55
    for view in found:
        assert view.box[2] <= view.scaled[0] and view.box[3] <= view.scaled[1]


@pytest.mark.option("CropOptions.variants")
def test_there_are_as_many_crops_as_asked_for_each_once():
    assert len(many(place="random", variants=3)) == 3
    assert many(place="random", view=middle((64, 64))) == (middle((64, 64)),)  # nothing overhangs


def test_crops_follow_from_the_seed_and_the_picture_alone():
    assert many(seed=1, place="random") == many(seed=1, place="random")
    assert many(seed=1, place="random") != many(seed=2, place="random")
    boxes = [[view.box for view in many(view=middle(digest=digest), place="random")] for digest in ("one", "two")]
    assert boxes[0] != boxes[1]


def test_the_pixels_of_a_crop_are_those_of_its_box(tmp_path):
    path = tmp_path / "a.png"
    pixels = numpy.random.default_rng(0).integers(0, 256, (64, 192, 3), dtype=numpy.uint8)
    Image.fromarray(pixels).save(path)
    for view in many(view=dataclasses.replace(middle(), path=path), place="random", variants=4):
        assert numpy.array_equal(decode(view, "white").numpy(), pixels[:, view.box[0] : view.box[2]])


@pytest.fixture
def options(tmp_path):
    return DatasetOptions(folder=tmp_path / "pictures", buckets=SQUARE, crop=CropOptions(place="random", variants=3))


@pytest.mark.option("DatasetOptions.crop")
def test_each_showing_is_one_of_the_crops_with_its_frame_and_its_mask(options, model, context, make_picture):
    path = make_picture("wide.png", (192, 64), mode="RGBA")
    pixels = numpy.array(Image.open(path))
    pixels[:, :96, 3], pixels[:, 96:, 3] = 51, 255
    Image.fromarray(pixels).save(path)
    masked = dataclasses.replace(options, flip=0.5, masks=MaskOptions(transparency=True, unmasked_steps=0))
    dataset = open_dataset(masked, model, context)
    assert model.encoded_pictures == 6
    seen = {}
    for epoch in range(60):
        batch = dataset.load(dataset.batches(epoch)[0], epoch)
        left = batch.frames[0, 3].item()
        seen[tuple(batch.mean.flatten().tolist())] = left
        place = left + numpy.arange(64)  # in the picture, or in its mirror image
        as_it_is, mirrored = (numpy.where(opaque, 1, 0.2).reshape(8, 8).mean(1) for opaque in (place >= 96, place < 96))
        assert any(numpy.allclose(batch.masks[0, 0].numpy(), mask, atol=1.001 / 255) for mask in (as_it_is, mirrored))
    assert len(seen) == 6
    assert model.encoded_pictures == 6


def test_held_out_pictures_are_always_shown_in_the_middle(options, tmp_path):
    assert not held_out_options(options, tmp_path).crop.varied
