"""What masks make of the loss, by hand."""

from __future__ import annotations

import dataclasses

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.dataset.mask_options import MaskOptions  # noqa: E402
from lib_trainer.training.masked_loss import picture_losses  # noqa: E402
from lib_trainer.training.step import Stepper  # noqa: E402

# One picture of two channels and two places; the mask shows the first place and a quarter of the second.
VALUES = torch.tensor([[[[2.0, 4.0]], [[6.0, 8.0]]]])
MASK = torch.tensor([[[1.0, 0.25]]])


def loss(mask=MASK, **options):
    return picture_losses(VALUES, mask, MaskOptions(**options)).tolist()


def test_without_masks_it_is_the_plain_mean():
    assert loss(None) == [5]
    assert loss(torch.ones(1, 1, 2)) == [5]


@pytest.mark.option("MaskOptions.unmasked_weight")
def test_every_place_weighs_what_its_mask_says_and_no_less_than_was_asked_for():
    assert loss(unmasked_weight=0) == [(2 + 6 + 0.25 * (4 + 8)) / 4]
    assert loss(unmasked_weight=0.5) == [(2 + 6 + 0.5 * (4 + 8)) / 4]
    assert loss(unmasked_weight=1) == [5]


@pytest.mark.option("MaskOptions.even_areas")
def test_with_even_areas_it_is_the_weighted_mean():
    assert loss(unmasked_weight=0, even_areas=True) == pytest.approx([(2 + 6 + 0.25 * (4 + 8)) / 4 / 0.625])
    assert loss(torch.zeros(1, 1, 2), unmasked_weight=0, even_areas=True) == [0]


def test_a_step_learns_only_what_the_masks_show(runs):
    session = runs.open({"dataset": {"masks": {"unmasked_weight": 0}, "buckets": {"square": True}}})
    stepper = Stepper(session)
    batch = session.dataset.load(session.dataset.batches(0)[0], 0)
    shape = batch.mean.shape
    left = torch.zeros(len(batch.captions), *shape[2:])
    left[:, :, : shape[3] // 2] = 1
    halves = [stepper._loss(dataclasses.replace(batch, masks=mask), 0, 0) for mask in (left, 1 - left)]
    whole = stepper._loss(batch, 0, 0)
    assert torch.allclose(halves[0] + halves[1], whole, rtol=1e-5)
    assert not torch.allclose(halves[0], halves[1], rtol=1e-2)
