"""Training on inpainting models: holes in the pictures, and what the model is told around them."""

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.dataset.cache import View  # noqa: E402
from lib_trainer.dataset.decoding import decode  # noqa: E402
from lib_trainer.dataset.holes import hole_of, with_holes  # noqa: E402
from lib_trainer.models.sd1_model import Sd1Model  # noqa: E402
from lib_trainer.training.session import Session  # noqa: E402
from tests.models.families import inpainting_checkpoint  # noqa: E402
from tests.training.runs import equal  # noqa: E402


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inpainting")
    return {family: inpainting_checkpoint(family, folder / f"{family}.safetensors") for family in ("sd1", "sdxl")}


def told(files, family="sd1", **inpainting):
    return {"model": str(files[family]), "dataset": {"inpainting": inpainting}}


@pytest.fixture
def seen(monkeypatch):
    """What the model was told around each batch of pictures, with their paths' captions."""
    found, plain = [], Session.denoise

    def denoise(self, noisy, timesteps, captions, frames, around):
        found.append(around)
        return plain(self, noisy, timesteps, captions, frames, around)

    monkeypatch.setattr(Session, "denoise", denoise)
    return found


def holes_of(session, count):
    """Every [5, h, w] that can be told of the run's pictures, by hand: the mask, the latents of the holed picture."""
    for entry in session.dataset.entries:
        for view in with_holes(entry.view, count):
            hole = hole_of(view)
            pixels = decode(View(view.path, view.digest, view.scaled, view.box), "white").permute(2, 0, 1) / 127.5 - 1
            kept, _ = session.model.encode_pictures((pixels * (1 - hole))[None])
            yield torch.cat([hole[None, ::8, ::8], kept[0]])


@torch.no_grad()
@pytest.mark.option("InpaintingOptions.holes", "InpaintingOptions.whole")
def test_the_model_is_told_of_the_holes_that_are_asked_for_and_of_none_where_the_whole_is_drawn(files, runs, seen):
    holes = told(files, holes=2, whole=0)
    session = runs.open(holes, "open")
    known = list(holes_of(session, 2))
    with torch.enable_grad():
        runs.train({**holes, "epochs": 3}, "holes")
    each = [picture for around in seen for picture in around]
    matches = [[torch.allclose(one, other, atol=1e-4) for other in known if other.shape == one.shape] for one in each]
    assert len(each) == 21 and all(any(found) for found in matches)
    assert len({bytes(one.numpy().tobytes()) for one in each}) > 7  # not always the same one of a picture
    seen.clear()
    with torch.enable_grad():
        runs.train(told(files, whole=1), "whole")
    for around in seen:
        assert torch.equal(around, session.model.all_anew(*around.shape[2:]).expand_as(around))


def test_the_vae_is_not_needed_again_while_training(files, runs, monkeypatch):
    dataset = runs.open(told(files, whole=0.5)).dataset

    def encode_pictures(self, pixels):
        raise AssertionError("it was")

    monkeypatch.setattr(Sd1Model, "encode_pictures", encode_pictures)
    for epoch in range(3):
        for plan in dataset.batches(epoch):
            assert dataset.load(plan, epoch).around is not None


@pytest.mark.parametrize("family", ["sd1", "sdxl"])
def test_a_stopped_run_ends_with_the_same_bits_with_held_out_pictures_and_previews(files, family, runs, things):
    options = told(files, family, holes=2) | {
        "epochs": 2,
        "dataset": {"inpainting": {"holes": 2, "whole": 0.5}, "flip": 0.5},
        "validation": {"folder": str(things / "aside"), "timesteps": 2},
        "previews": {"prompts": ["a cat"], "steps": 2},
        "saving": {"every": "1 epoch", "state_every": "1 epoch"},
    }
    whole = runs.train(options, "whole")
    assert len(whole.losses) == 8 and whole.held_out[-1] < whole.held_out[0]
    runs.train(options, "parts", stop_at=3)
    parts = runs.train(options, "parts")
    assert equal(parts.tensors(), whole.tensors()) and parts.losses == whole.losses
    assert parts.held_out == whole.held_out


def test_held_out_pictures_have_each_the_same_hole_whatever_the_seed(files, runs, things):
    options = {**told(files), "validation": {"folder": str(things / "aside"), "timesteps": 2}}
    tables = [runs.open({**options, "seed": seed}, str(seed)).held_out for seed in (0, 1)]
    assert all(torch.equal(one.around, other.around) for one, other in zip(*tables, strict=True))
    assert all(0 < float(row.around[0].mean()) < 1 for row in tables[0])


def test_other_models_are_told_nothing(runs, seen):
    runs.train({"max_steps": 1})
    assert seen == [None]


@pytest.mark.parametrize("kind", ["pictures", "prediction"])
def test_what_is_kept_of_a_class_is_told_of_its_own_surroundings(files, runs, seen, kind):
    prior = {"dataset": {"concepts": [{"prompt": "a sks cat", "class_prompt": "a cat"}]}}
    prior["prior"] = {"kind": kind, "pictures": 2, "steps": 1, "cfg_scale": 1}
    dataset = runs.open({**told(files), **prior}, "open").dataset
    batch = dataset.load(dataset.batches(0)[0], 0)
    own, kept = batch.around[: batch.to_learn], batch.around[batch.to_learn :]
    assert len(own) == len(kept) == batch.prior and torch.equal(own, kept) == (kind == "prediction")
    runs.train({**told(files), **prior, "max_steps": 2})
    assert len(seen) == (2 if kind == "pictures" else 4)
