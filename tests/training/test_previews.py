"""Pictures drawn while training."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from PIL import Image  # noqa: E402

from lib_trainer.models.loading import load_model  # noqa: E402
from lib_trainer.models.sampling import SampleRequest, sample  # noqa: E402
from lib_trainer.training.previews import preview_request  # noqa: E402
from lib_trainer.weights.networks import open_network  # noqa: E402
from tests.training.runs import equal  # noqa: E402

TWO = {"prompts": ["a red cat", "a dog"], "steps": 2, "cfg_scale": 3.0}


@pytest.mark.option("PreviewOptions.prompts", "PreviewOptions.negative_prompt", "PreviewOptions.sampler")
@pytest.mark.option("PreviewOptions.steps", "PreviewOptions.cfg_scale", "PreviewOptions.seed")
@pytest.mark.option("PreviewOptions.width", "PreviewOptions.height")
def test_previews_are_what_the_options_ask_for_and_say_so_as_the_webui_does(runs):
    told = {"negative_prompt": "grey", "sampler": "Euler a", "width": 72, "height": 64, "seed": 7}
    run = runs.train({"previews": {**TWO, **told}, "clip_skip": 2})
    names = ["e001-s000004-1.png", "e001-s000004-2.png"]
    assert run.saved("picture") == [(4, name) for name in names]
    for number, name in enumerate(names):
        picture = Image.open(run.directory.samples / name)
        assert picture.size == (72, 64)
        assert picture.info["parameters"] == (
            f"{TWO['prompts'][number]}\nNegative prompt: grey\n"
            f"Steps: 2, Sampler: Euler a, Schedule type: Automatic, CFG scale: 3.0, Seed: {7 + number}, Size: 72x64, "
            "Model: miniature, Clip skip: 2, RNG: CPU"
        )


def drawn(run):
    return [Image.open(path).tobytes() for path in sorted(run.directory.samples.glob("*.png"))]


def test_previews_show_the_network_as_it_is_saved_without_dropout(runs, things):
    """The same pictures come from the written file, opened again on a fresh model; the model alone draws others."""
    run = runs.train({"previews": TWO, "learning_rate": 0.05, "trainable": {"dropout": 0.9}, "epochs": 2})
    model = load_model(things / "miniature.safetensors", torch.float32, torch.device("cpu"))
    request = SampleRequest(tuple(TWO["prompts"]), (1, 2), steps=2, cfg_scale=3.0, width=64, height=64)
    alone = [picture.tobytes() for picture in sample(model, request)]
    open_network(model, run.networks[-1])
    assert drawn(run)[-2:] == [picture.tobytes() for picture in sample(model, request)] != alone


@pytest.mark.parametrize(("resolution", "side"), [(64, 64), (100, 96)])
@pytest.mark.option("PreviewOptions.width", "PreviewOptions.height")
def test_without_sides_previews_have_the_training_resolution_as_far_as_the_model_allows(runs, resolution, side):
    request = preview_request(runs.options({"dataset": {"buckets": {"resolution": resolution}}}), step=8)
    assert (request.width, request.height) == (side, side)


@pytest.mark.option("PreviewOptions.every")
@pytest.mark.parametrize(
    ("every", "steps"), [("1 epoch", [4, 8]), ("3 steps", [3, 6]), ("2 epochs", [8]), ("never", [])]
)
def test_previews_come_as_often_as_they_are_told(runs, every, steps):
    previews = {"prompts": ["a"], "steps": 1, "cfg_scale": 1, "every": every}
    assert [step for step, _ in runs.train({"epochs": 2, "previews": previews}).saved("picture")] == steps


@pytest.mark.option("PreviewOptions.prompts")
def test_without_prompts_nothing_is_drawn(runs):
    run = runs.train({"previews": {"every": "1 step"}})
    assert not run.directory.samples.exists()


def test_previews_held_out_losses_and_savings_leave_the_training_as_it_is(runs, things):
    told = {"trainable": {"dropout": 0.3}, "epochs": 2, "text_encoder_learning_rate": 1e-3}
    plain = runs.train(told, "plain")
    busy = runs.train(
        {
            **told,
            "previews": {**TWO, "sampler": "Euler a", "every": "1 step"},
            "validation": {"folder": str(things / "aside"), "every": "1 step"},
            "saving": {"every": "1 step", "state_every": "1 step"},
        },
        "busy",
    )
    assert equal(plain.tensors(), busy.tensors())
    assert plain.losses == busy.losses
    assert len(busy.networks) == len(busy.held_out) - 1 == 8


def test_the_prediction_that_was_told_is_the_one_that_previews_are_drawn_with(runs):
    """At a learning rate of nearly zero the network adds nothing; only how the answer is read differs."""
    told = {"previews": {**TWO, "every": "1 step"}, "learning_rate": 1e-9, "max_steps": 1}
    asked, velocity = (
        runs.train({**told, "diffusion": {"prediction": kind}}, kind) for kind in ("auto", "v")
    )
    assert drawn(asked) != drawn(velocity)
