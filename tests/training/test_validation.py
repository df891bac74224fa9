"""The loss on pictures kept aside."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import ConfigError  # noqa: E402
from lib_trainer.training.randomness import generator  # noqa: E402
from lib_trainer.training.validation import Shown, fixed_table, table_loss  # noqa: E402
from tests.training.runs import equal  # noqa: E402

LATENTS = [torch.full((4, 8, 8), 0.5), torch.full((4, 6, 10), -0.5)]
CAPTIONS = ["one", "two"]
PICTURES = [Shown(latent, caption, torch.zeros(6)) for latent, caption in zip(LATENTS, CAPTIONS, strict=True)]


@pytest.fixture
def aside(things):
    return {"validation": {"folder": str(things / "aside")}}


def rows_as_plain(rows):
    return [(row.latent, row.caption, row.timestep, row.noise) for row in rows]


@pytest.mark.option("ValidationOptions.timesteps")
def test_every_picture_is_measured_in_the_middle_of_equal_parts_of_the_timesteps():
    rows = fixed_table(PICTURES, timesteps=4, seed=1)
    assert [(row.caption, row.timestep) for row in rows] == [
        (caption, timestep) for caption in CAPTIONS for timestep in (125, 375, 625, 875)
    ]
    for count in (1, 3, 7, 100):
        steps = [row.timestep for row in fixed_table(PICTURES[:1], count, seed=1)]
        assert [step * count // 1000 for step in steps] == list(range(count))


@pytest.mark.option("ValidationOptions.seed")
def test_the_noise_follows_from_the_seed_and_is_other_in_each_row():
    rows, same, other = (fixed_table(PICTURES, 3, seed) for seed in (1, 1, 2))
    assert equal(rows_as_plain(rows), rows_as_plain(same))
    assert not any(torch.equal(one.noise, another.noise) for one, another in zip(rows, other, strict=True))
    assert len({row.noise[0, 0, 0].item() for row in rows}) == len(rows)
    assert [row.noise.shape for row in rows] == [row.latent.shape for row in rows]


def test_a_picture_that_is_added_changes_no_row_of_those_before_it():
    few, more = fixed_table(PICTURES[:1], 3, 1), fixed_table(PICTURES, 3, 1)
    assert equal(rows_as_plain(few), rows_as_plain(more[:3]))


@pytest.mark.parametrize("batch", [1, 2, 8])
def test_the_loss_is_the_mean_over_the_rows_however_they_are_batched(batch):
    """A model that answers zero is wrong by the noise itself."""
    rows = fixed_table(PICTURES, 3, 1)
    alphas = torch.linspace(0.999, 0.1, 1000)
    loss = table_loss(rows, lambda noisy, *_: torch.zeros_like(noisy), alphas, "epsilon", batch)
    by_hand = torch.stack([row.noise.double().square().mean() for row in rows]).mean()
    assert loss == pytest.approx(by_hand.item(), rel=1e-6)


@torch.no_grad()
def loss_by_diffusers(pipeline, session, timesteps, seed, prediction):
    """The base model's loss, its text encoder and U-Net run by the libraries alone."""
    errors = []
    for number, caption in enumerate(("cat, red, small, on grass, smiling", "red, small, on grass, smiling, cat")):
        path = sorted(session.options.validation.folder.glob("*.png"))[number]
        latents = pipeline.vae.encode(pipeline.image_processor.preprocess(_opened(path))).latent_dist.mean * 0.18215
        for part in range(timesteps):
            step = torch.tensor([(2 * part + 1) * 1000 // (2 * timesteps)])
            noise = torch.randn(latents.shape, generator=generator(seed, "held out", number, part))
            noisy = pipeline.scheduler.add_noise(latents, noise, step)
            text, _ = pipeline.encode_prompt(caption, "cpu", 1, False)
            answer = pipeline.unet(noisy, step, text).sample
            wanted = noise if prediction == "epsilon" else pipeline.scheduler.get_velocity(latents, noise, step)
            errors.append((answer - wanted).square().mean().item())
    return sum(errors) / len(errors)


def _opened(path):
    from PIL import Image

    return Image.open(path)


@pytest.fixture(scope="module")
def pipeline(things):
    """The model loaded by diffusers alone."""
    from tests.models.second_source import diffusers_pipeline

    return diffusers_pipeline(things / "miniature.safetensors")


@pytest.mark.option("ValidationOptions.folder", "ValidationOptions.timesteps", "ValidationOptions.seed")
@pytest.mark.parametrize(("timesteps", "seed", "prediction"), [(4, 1234, "epsilon"), (3, 5, "v")])
def test_the_base_models_loss_is_that_of_diffusers(runs, aside, pipeline, timesteps, seed, prediction):
    told = {"validation": {**aside["validation"], "timesteps": timesteps, "seed": seed}, "max_steps": 1}
    told["diffusion"] = {"prediction": prediction}
    expected = loss_by_diffusers(pipeline, runs.open(told, "open"), timesteps, seed, prediction)
    assert runs.train(told).result["held_out_loss"]["base"] == pytest.approx(expected, rel=1e-4)


def test_the_base_models_loss_is_the_same_whatever_the_training_does(runs, aside):
    ways = [
        {"seed": 5, "batch_size": 1},
        {"trainable": {"rank": 4, "dropout": 0.5}, "text_encoder_learning_rate": 1e-3},
        {"dataset": {"flip": 0.5, "shuffle_tags": True, "caption_dropout": 0.5, "repeats": 2}},
        {"diffusion": {"noise_offset": 0.1, "min_snr_gamma": 5}},
    ]
    found = [
        runs.train({**aside, **way, "max_steps": 1}, str(number)).held_out[0] for number, way in enumerate(({}, *ways))
    ]
    assert found[1:] == pytest.approx([found[0]] * len(ways), rel=1e-5)


@pytest.mark.option("ValidationOptions.every")
@pytest.mark.parametrize(
    ("every", "keys"),
    [("1 epoch", ["1", "2"]), ("2 epochs", ["2"]), ("3 steps", ["0.75", "1.5"]), ("never", [])],
)
def test_the_loss_is_measured_as_often_as_it_is_told_and_reported_by_epoch(runs, aside, every, keys):
    run = runs.train({"epochs": 2, "validation": {**aside["validation"], "every": every}})
    losses = run.result["held_out_loss"]
    assert list(losses["epochs"]) == keys
    assert [losses["base"], *losses["epochs"].values()] == run.held_out


def test_the_loss_falls_when_the_pictures_kept_aside_are_trained_on_and_a_notice_says_so(runs, things):
    told = {"dataset": {"folder": str(things / "aside"), "repeats": 10}, "learning_rate": 1e-2, "epochs": 3}
    run = runs.train({**told, "validation": {"folder": str(things / "aside")}})
    assert run.held_out[-1] < 0.95 * run.held_out[0]
    assert "is also trained on" in run.messages


@pytest.mark.option("ValidationOptions.share")
def test_a_share_of_the_pictures_is_measured_instead_of_trained(runs):
    """0.3 of seven pictures are three, each at four noise levels; the other four make two or three batches of two."""
    session = runs.open({"validation": {"share": 0.3}}, "open")
    learnt = {entry.path.name for entry in session.dataset.entries}
    assert (len(learnt), len(session.held_out)) == (4, 12)
    run = runs.train({"validation": {"share": 0.3}, "epochs": 2})
    assert len(run.held_out) == 3
    assert "3 of 7 pictures are kept aside" in run.messages
    assert "is also trained on" not in run.messages


def test_a_folder_and_a_share_contradict_each_other(runs, aside):
    with pytest.raises(ConfigError, match="give one of them"):
        runs.options({"validation": {**aside["validation"], "share": 0.1}}, "both")


@pytest.mark.option("ValidationOptions.folder")
def test_without_a_folder_nothing_is_measured(runs):
    run = runs.train({"max_steps": 1})
    assert run.held_out == []
    assert run.result["held_out_loss"] == {"base": None, "epochs": {}}
