"""What stands beside a batch's pictures: joined with them row for row."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.dataset.concept_options import ConceptOptions  # noqa: E402
from lib_trainer.dataset.dataset import Batch  # noqa: E402
from lib_trainer.dataset.mask_options import MaskOptions  # noqa: E402
from lib_trainer.dataset.opening import open_dataset  # noqa: E402
from lib_trainer.dataset.options import DatasetOptions  # noqa: E402
from lib_trainer.dataset.prior import ClassCaptions, with_prior  # noqa: E402
from lib_trainer.images.options import BucketOptions  # noqa: E402


def batch(count, start, **told):
    values = torch.arange(start, start + count * 16.0).reshape(count, 1, 4, 4)
    frames = torch.arange(start, start + count * 6).reshape(count, 6)
    names = [f"{start + row}" for row in range(count)]
    return Batch(values, values + 1000, names, [Path(name) for name in names], frames, **told)


def test_what_is_kept_stands_behind_what_is_learned_row_for_row():
    own, kept = batch(2, 0), batch(1, 500)
    both = with_prior(own, kept)
    assert (both.to_learn, both.prior) == (2, 1)
    assert both.captions == ["0", "1", "500"]
    assert both.paths == [Path("0"), Path("1"), Path("500")]
    for name in ("mean", "std", "frames"):
        assert torch.equal(getattr(both, name), torch.cat([getattr(own, name), getattr(kept, name)]))
    assert both.masks is None


def test_all_of_a_class_picture_counts_where_own_ones_have_masks():
    both = with_prior(batch(2, 0, masks=torch.full((2, 4, 4), 0.25)), batch(1, 500))
    assert both.masks.mean(dim=(1, 2)).tolist() == [0.25, 0.25, 1.0]


def test_nothing_beside_a_batch_leaves_it_as_it_is():
    own = batch(2, 0)
    assert with_prior(own, None) is own
    assert own.to_learn == 2


def test_a_class_prompt_is_asked_of_the_same_view_without_its_mask(make_picture, tmp_path, model, context):
    """Mirrored or not, and without its weight; a picture of no concept is not asked about."""
    make_picture("dogs/a.png")
    make_picture("b.png")
    folder = tmp_path / "pictures"
    concepts = (ConceptOptions(folder=folder / "dogs", prompt="sks dog", class_prompt="dog"),)
    told = DatasetOptions(
        folder=folder, buckets=BucketOptions(resolution=64, step=8), concepts=concepts, flip=0.5,
        masks=MaskOptions(transparency=True),
    )  # fmt: skip
    dataset = open_dataset(told, model, context)
    dataset.prior = ClassCaptions(dataset, ["dog"])
    seen = set()
    for epoch in range(8):
        (plan,) = dataset.batches(epoch)
        both = dataset.load(plan, epoch)
        row = both.captions.index("sks dog")
        assert (both.captions[2:], both.paths[2].name) == (["dog"], "a.png")
        assert torch.equal(both.mean[row], both.mean[2])
        assert torch.equal(both.masks[2], torch.ones(8, 8))
        seen.add(both.mean[2].sum().item())
    assert len(seen) == 2
    kept = dataset.prior.beside(plan, replace(both, weights=torch.full((3,), 0.5)), 0)
    assert (kept.weights, kept.masks) == (None, None)
