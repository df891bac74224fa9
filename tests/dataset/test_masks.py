"""Masks: which belongs to which picture, their numbers, and what is refused."""

from __future__ import annotations

import dataclasses
import os

import numpy
import pytest
from PIL import Image

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import ConfigError, DataError, StopRequested  # noqa: E402
from lib_trainer.dataset.cache import LatentCache  # noqa: E402
from lib_trainer.dataset.concept_options import ConceptOptions  # noqa: E402
from lib_trainer.dataset.dataset import Dataset  # noqa: E402
from lib_trainer.dataset.mask_options import MaskOptions  # noqa: E402
from lib_trainer.dataset.opening import open_dataset  # noqa: E402
from lib_trainer.dataset.options import DatasetOptions, held_out_options  # noqa: E402
from lib_trainer.dataset.prospects import survey  # noqa: E402
from lib_trainer.images import known_sizes  # noqa: E402
from lib_trainer.images.options import BucketOptions  # noqa: E402

SMALL = BucketOptions(resolution=64, step=8)


@pytest.fixture
def options(tmp_path):
    """`options(unmasked_steps=1)`: a folder of pictures whose masks lie in another."""

    def made(**masks):
        told = {"folder": tmp_path / "masks", "unmasked_steps": 0, **masks}
        return DatasetOptions(folder=tmp_path / "pictures", buckets=SMALL, masks=MaskOptions(**told))

    return made


@pytest.fixture
def make_mask(tmp_path):
    """`make_mask("a.png", numbers [height, width])`"""

    def made(name, values):
        path = tmp_path / "masks" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(numpy.asarray(values, dtype=numpy.uint8)).save(path)
        return path

    return made


def masks_of(options, model, context, epoch=0):
    """The masks of an epoch by the names of their pictures."""
    dataset = open_dataset(options, model, context)
    batches = [dataset.load(plan, epoch) for plan in dataset.batches(epoch)]
    return {path.name: mask for batch in batches for path, mask in zip(batch.paths, batch.masks, strict=True)}


def left_half(width=64, height=64):
    values = numpy.zeros((height, width))
    values[:, : width // 2] = 255
    return values


@pytest.mark.option("DatasetOptions.masks", "MaskOptions.folder")
def test_each_value_is_the_mean_of_the_mask_over_one_latent(options, model, context, make_picture, make_mask):
    make_picture("a.png", (64, 64))
    values = numpy.random.default_rng(0).integers(0, 256, (64, 64))
    make_mask("a.bmp", values)  # the ending may be another
    expected = values.reshape(8, 8, 8, 8).mean(axis=(1, 3)) / 255
    found = masks_of(options(), model, context)["a.png"]
    assert found.dtype == torch.float32
    assert numpy.allclose(found.numpy(), expected, atol=1.001 / 255)  # Pillow rounds twice


def test_a_mask_is_scaled_and_cropped_as_its_picture(options, model, context, make_picture, make_mask):
    make_picture("wide.png", (192, 48))
    make_mask("wide.png", left_half(192, 48))
    square = dataclasses.replace(options(), buckets=dataclasses.replace(SMALL, square=True))
    found = masks_of(square, model, context)["wide.png"]
    assert found.shape == (8, 8)  # of the middle quarter of the width
    assert torch.equal(found, torch.cat([torch.ones(8, 4), torch.zeros(8, 4)], dim=1))


def test_masks_lie_in_the_same_folders_as_their_pictures(options, model, context, make_picture, make_mask):
    make_picture("one/a.png"), make_picture("two/a.png")
    make_mask("one/a.png", left_half()), make_mask("two/a.png", left_half()[:, ::-1])
    dataset = open_dataset(options(), model, context)
    batch = dataset.load(dataset.batches(0)[0], 0)
    by_folder = {path.parent.name: mask for path, mask in zip(batch.paths, batch.masks, strict=True)}
    assert by_folder["one"][0].tolist() == [1] * 4 + [0] * 4
    assert by_folder["two"][0].tolist() == [0] * 4 + [1] * 4


def test_concepts_elsewhere_have_their_masks_in_folders_of_their_names(
    options, model, context, make_picture, make_mask, tmp_path
):
    make_picture("a.png"), make_picture("inside/a.png"), make_picture("../dog/a.png"), make_picture("../bare/b.png")
    make_mask("a.png", left_half()), make_mask("inside/a.png", left_half()[:, ::-1])
    make_mask("dog/a.png", left_half().T)
    concepts = [ConceptOptions(folder=place) for place in (tmp_path / "pictures" / "inside", tmp_path / "dog")]
    told = dataclasses.replace(options(), concepts=(*concepts, ConceptOptions(folder=tmp_path / "bare")))
    dataset = open_dataset(told, model, dataclasses.replace(context, batch_size=4))
    batch = dataset.load(dataset.batches(0)[0], 0)
    found = {path.parent.name: mask for path, mask in zip(batch.paths, batch.masks, strict=True)}
    assert found["pictures"][0].tolist() == [1] * 4 + [0] * 4
    assert found["inside"][0].tolist() == [0] * 4 + [1] * 4
    assert found["dog"][:, 0].tolist() == [1] * 4 + [0] * 4
    assert bool((found["bare"] == 1).all())
    assert len(survey(told, context.cache, lambda done, total: None).files) == 4


def test_concepts_whose_folders_have_one_name_cannot_share_masks(
    options, model, context, make_picture, make_mask, tmp_path
):
    make_picture("z.png"), make_picture("../one/dog/a.png"), make_picture("../two/dog/a.png")
    make_mask("dog/a.png", left_half())
    concepts = tuple(ConceptOptions(folder=tmp_path / name / "dog") for name in ("one", "two"))
    with pytest.raises(DataError, match=r"would be the mask of .*one.dog.a\.png and of .*two.*; rename one of their"):
        open_dataset(dataclasses.replace(options(), concepts=concepts), model, context)


def test_a_mirrored_picture_has_a_mirrored_mask(options, model, context, make_picture, make_mask):
    make_picture("a.png")
    make_mask("a.png", left_half())
    found = masks_of(dataclasses.replace(options(), flip=1), model, context)["a.png"]
    assert found[0].tolist() == [0] * 4 + [1] * 4


@pytest.mark.option("MaskOptions.transparency")
def test_what_is_transparent_is_masked_if_asked_for(options, model, context, make_picture):
    path = make_picture("clear.png", mode="RGBA")
    pixels = numpy.array(Image.open(path))
    pixels[..., 3] = left_half()
    Image.fromarray(pixels).save(path)
    make_picture("opaque.png")
    found = masks_of(options(folder=None, transparency=True), model, context)
    assert found["clear.png"][0].tolist() == [1] * 4 + [0] * 4
    assert bool((found["opaque.png"] == 1).all())
    dataset = open_dataset(options(folder=None), model, context)
    assert dataset.load(dataset.batches(0)[0], 0).masks is None


def test_a_mask_of_its_own_goes_before_transparency(options, model, context, make_picture, make_mask):
    make_picture("clear.png", mode="RGBA")
    make_mask("clear.png", left_half())
    found = masks_of(options(transparency=True), model, context)["clear.png"]
    assert found[0].tolist() == [1] * 4 + [0] * 4


@pytest.mark.option("MaskOptions.unmasked_steps")
def test_masks_are_left_out_as_often_as_asked_and_always_in_the_same_way(
    options, model, context, make_picture, make_mask
):
    make_picture("a.png")
    make_mask("a.png", left_half())
    dataset = open_dataset(options(unmasked_steps=0.3), model, context)
    shown = [dataset.load(dataset.batches(epoch)[0], epoch).masks for epoch in range(300)]
    whole = [bool((mask == 1).all()) for mask in shown]
    assert 60 < sum(whole) < 120
    again = open_dataset(options(unmasked_steps=0.3), model, context)
    assert all(torch.equal(again.load(again.batches(n)[0], n).masks, shown[n]) for n in range(20))


def test_masks_of_another_size_are_named_with_both_sizes(options, model, context, make_picture, make_mask):
    make_picture("a.png", (64, 64)), make_picture("b.png", (64, 64))
    make_mask("a.png", left_half(32, 64)), make_mask("b.png", left_half())
    with pytest.raises(DataError, match=r"masks.a\.png has 32 x 64 px and its picture 64 x 64\. Make them as large"):
        open_dataset(options(), model, context)
    with pytest.raises(DataError, match="32 x 64"):
        survey(options(), context.cache, lambda done, total: None)


def test_a_mask_that_cannot_be_read_is_named(options, model, context, make_picture, make_mask):
    make_picture("a.png")
    make_mask("a.png", left_half()).write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"masks.a\.png: it is damaged"):
        open_dataset(options(), model, context)


def test_a_folder_without_any_fitting_mask_is_refused(options, model, context, make_picture, make_mask):
    make_picture("a.png")
    make_mask("other.png", left_half())
    with pytest.raises(DataError, match=r"holds no mask for any picture in .*such as a\.png"):
        open_dataset(options(), model, context)


def test_pictures_and_masks_that_have_no_partner_are_told(
    options, model, context, make_picture, make_mask, recording
):
    make_picture("a.png"), make_picture("b.png")
    make_mask("a.png", left_half()), make_mask("c.png", left_half())
    found = masks_of(options(), model, context)
    assert bool((found["b.png"] == 1).all())
    assert "1 of 2 pictures have no mask in the folder of masks: b.png." in recording.messages
    assert "1 masks belong to no picture: c.png." in recording.messages


def test_masks_among_the_pictures_are_refused(options, model, context, make_picture, tmp_path):
    make_picture("a.png")
    make_picture("masks/a.png")
    with pytest.raises(ConfigError, match="neither may lie inside the other"):
        open_dataset(options(folder=tmp_path / "pictures" / "masks"), model, context)


def test_two_masks_for_one_picture_are_named(options, model, context, make_picture, make_mask):
    make_picture("a.png")
    make_mask("a.png", left_half()), make_mask("a.jpg", left_half())
    with pytest.raises(DataError, match=r"a\.jpg and a\.png are both masks for pictures called a"):
        open_dataset(options(), model, context)


def test_masks_that_change_nothing_or_hide_everything_are_told(
    options, model, context, make_picture, make_mask, recording
):
    make_picture("a.png")
    make_mask("a.png", numpy.full((64, 64), 255))
    open_dataset(options(), model, context)
    assert "masks change nothing" in recording.messages
    make_mask("a.png", numpy.zeros((64, 64)))
    open_dataset(options(), model, context)
    assert "a.png is black where its picture is shown" in recording.messages


def test_a_repainted_mask_is_read_anew_and_others_come_from_the_cache(
    options, model, context, make_picture, make_mask, monkeypatch
):
    from lib_trainer.dataset import mask_cache

    make_picture("a.png")
    make_mask("a.png", left_half())
    first = masks_of(options(), model, context)["a.png"]
    with monkeypatch.context() as patched:
        patched.setattr(mask_cache, "open_picture", lambda path, background: pytest.fail("it was opened again"))
        assert torch.equal(masks_of(options(), model, context)["a.png"], first)
    make_mask("a.png", left_half()[:, ::-1])
    assert torch.equal(masks_of(options(), model, context)["a.png"], first.flip(1))


def test_held_out_pictures_are_never_masked(options, tmp_path):
    assert not held_out_options(options(transparency=True), tmp_path).masks.wanted


def test_a_stop_while_masks_are_made_is_heeded(options, model, context, make_picture, make_mask, recording):
    for number, name in enumerate(("a.png", "b.png", "c.png")):
        make_picture(name)
        make_mask(name, left_half() * number / 2)
    dataset = open_dataset(options(), model, context)
    for file in (context.cache / "masks").rglob("*.mask"):
        file.unlink()
    fresh = Dataset(dataset.entries, options(), model, LatentCache(context.cache, (), False, context.warn), context)
    recording.looks_before_stop = 2
    with pytest.raises(StopRequested):
        fresh.prepare_masks()
    assert len(list((context.cache / "masks").rglob("*.mask"))) == 2


def test_a_plan_decodes_masks_once(options, context, make_picture, make_mask, monkeypatch):
    decoded = []
    measure = known_sizes.measure
    monkeypatch.setattr(known_sizes, "measure", lambda path: decoded.append(path) or measure(path))
    mask, picture = make_mask("a.png", left_half()), make_picture("a.png")
    os.utime(mask, (1, 1))
    survey(options(), context.cache, lambda done, total: None)
    survey(options(), context.cache, lambda done, total: None)
    assert decoded == [picture, mask, picture]  # the picture was written just now and may change yet
