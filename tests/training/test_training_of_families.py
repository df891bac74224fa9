"""Stable Diffusion 2 and XL trained through the real worker, and what XL is told of each picture."""

from __future__ import annotations

import json

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from safetensors import safe_open  # noqa: E402

from lib_trainer.core.configs import dump, load  # noqa: E402
from lib_trainer.core.errors import ConfigError  # noqa: E402
from lib_trainer.models.loading import load_model  # noqa: E402
from lib_trainer.models.sampling import SampleRequest, sample  # noqa: E402
from lib_trainer.training.plan import plan  # noqa: E402
from lib_trainer.training.session import Session  # noqa: E402
from lib_trainer.weights.networks import open_network  # noqa: E402
from tests.models.families import CHECKPOINTS  # noqa: E402
from tests.training.runs import equal  # noqa: E402

HEADERS = {
    "sd2": ("True", "sd_v2", "stable-diffusion-v2-512/lora", "SD2"),
    "sdxl": ("False", "sdxl_base_v1-0", "stable-diffusion-xl-v1-base/lora", "SDXL"),
}
LAYERS = {
    "sd2": {"lora_unet_down_blocks_0_attentions_0_proj_in", "lora_te_text_model_encoder_layers_1_self_attn_q_proj"},
    "sdxl": {
        "lora_unet_input_blocks_3_1_proj_in",
        "lora_te1_text_model_encoder_layers_2_mlp_fc1",
        "lora_te2_text_model_encoder_layers_1_self_attn_v_proj",
    },
}
LABELS = ("ss_v2", "ss_base_model_version", "modelspec.architecture")


@pytest.fixture(scope="module", params=list(CHECKPOINTS))
def family(request):
    return request.param


@pytest.fixture(scope="module")
def told(family, things, tmp_path_factory):
    """Options of a run on the family's small model with all there is: text, held-out pictures, previews, files."""
    model = CHECKPOINTS[family](tmp_path_factory.mktemp("models") / f"{family}.safetensors")
    return {
        "model": str(model),
        "epochs": 2,
        "text_encoder_learning_rate": 1e-3,
        "validation": {"folder": str(things / "aside"), "timesteps": 2},
        "previews": {"prompts": ["a cat"], "steps": 2},
        "saving": {"every": "1 epoch", "state_every": "1 epoch"},
    }


def test_the_worker_trains_saves_and_previews(family, told, runs, worker):
    run = runs.run()
    directory = run.directory
    directory.create("train", dump(runs.options(told)))
    assert worker(directory).wait(120) == 0, directory.log_file.read_text(encoding="utf-8")
    with safe_open(run.networks[-1], "pt") as file:
        header, names = file.metadata(), set(file.keys())
    assert (*(header[label] for label in LABELS),) == HEADERS[family][:3]
    assert {f"{layer}.alpha" for layer in LAYERS[family]} < names
    beside = json.loads(run.networks[-1].with_suffix(".json").read_text(encoding="utf-8"))
    assert beside["sd version"] == HEADERS[family][3]
    assert len(list(directory.samples.glob("*.png"))) == 2


def test_a_run_that_is_stopped_and_resumed_ends_with_the_same_bits(told, runs):
    whole = runs.train(told, "whole")
    assert len(whole.losses) == 8 and whole.held_out[-1] < whole.held_out[0]
    runs.train(told, "parts", stop_at=3)
    parts = runs.train(told, "parts")
    assert equal(parts.tensors(), whole.tensors())
    assert parts.losses == whole.losses and parts.held_out == whole.held_out


def test_gradient_checkpointing_changes_no_loss(told, runs):
    plain = runs.train({**told, "epochs": 1}, "plain")
    less = runs.train({**told, "epochs": 1, "gradient_checkpointing": True}, "less")
    assert less.losses == pytest.approx(plain.losses, rel=1e-4)


def test_a_picture_drawn_from_the_file_is_that_of_the_network_in_memory(told, runs):
    run = runs.train({**told, "epochs": 1, "learning_rate": 0.05})
    model = load_model(runs.options(told).model, torch.float32, torch.device("cpu"))
    request = SampleRequest(("a cat",), (1,), steps=2, width=64, height=64)
    (base,) = sample(model, request)
    open_network(model, run.networks[-1])
    (drawn,) = sample(model, request)
    (preview,) = list(run.directory.samples.glob("*.png"))
    from PIL import Image, ImageChops

    with Image.open(preview) as seen:
        assert max(high for _, high in ImageChops.difference(seen.convert("RGB"), drawn).getextrema()) <= 1
    assert ImageChops.difference(base, drawn).getbbox() is not None


def test_the_plan_tells_the_files_that_then_come(told, runs):
    told = {**told, "epochs": 1}
    planned = plan(runs.options(told), runs.run("plan").directory)
    assert planned["memory_bytes"] > 650_000_000
    run = runs.train(told)
    assert planned["steps"] == len(run.losses)


def test_what_is_told_of_a_picture_is_true_of_its_crop(told, runs, monkeypatch):
    """The pictures of 48 by 80 px are scaled to cover their bucket; a mirrored crop lies at the other side."""
    seen = []
    plain = Session.denoise

    def denoise(self, noisy, timesteps, captions, frames, *_):
        seen.append((noisy.shape, frames))
        return plain(self, noisy, timesteps, captions, frames)

    monkeypatch.setattr(Session, "denoise", denoise)
    runs.train({**told, "epochs": 1, "validation": {"folder": None}, "previews": {"prompts": []}})
    assert len(seen) == 4
    for shape, frames in seen:
        assert {tuple(frame[4:]) for frame in frames.tolist()} == {(shape[2] * 8, shape[3] * 8)}
        assert {tuple(frame[:2]) for frame in frames.tolist()} <= {(64, 64), (80, 48)}


def test_clip_skip_is_refused_before_anything_starts(told, runs):
    skipping = {**told, "clip_skip": 2}
    with pytest.raises(ConfigError, match=r"'clip_skip' is 2, but sd.*\.safetensors is a SD(2|XL) model"):
        runs.open(skipping)
    with pytest.raises(ConfigError, match="Set it to 1"):
        plan(runs.options(skipping), runs.run("plan").directory)


def test_a_comparison_draws_the_network_beside_the_model_alone(told, runs, tmp_path):
    from lib_trainer.comparison.compare import compare
    from lib_trainer.comparison.options import CompareOptions

    network = runs.train({**told, "epochs": 1, "learning_rate": 0.05}).networks[-1]
    options = load(
        CompareOptions,
        {
            "model": told["model"], "networks": [str(network)], "output": str(tmp_path / "grid"), "prompts": ["a cat"],
            "steps": [2], "width": 64, "height": 64, "precision": "fp32",
        },
    )  # fmt: skip
    compare(options, runs.run("compare").directory)
    assert len({path.read_bytes() for path in (tmp_path / "grid" / "cells").glob("*.png")}) == 2


def test_a_silent_model_of_version_2_is_named_in_the_plan_and_what_it_was_found_to_predict_in_the_run(things, runs):
    from tests.models.families import sd2_checkpoint

    last = "model.diffusion_model.out.2"
    answer = {f"{last}.weight": torch.zeros(4, 64, 3, 3), f"{last}.bias": torch.full((4,), -3.0)}
    told = {"model": str(sd2_checkpoint(runs.folder / "silent.safetensors", extra=answer))}
    remarks = plan(runs.options(told), runs.run("plan").directory)["remarks"]
    assert any("silent.safetensors says whether it predicts the noise" in remark for remark in remarks)
    session = runs.open(told)
    assert session.prediction == "v" and "Tried out, it predicts the velocity." in runs.run().messages
    sure = {**told, "diffusion": {"prediction": "epsilon"}}
    assert not any("predicts" in one for one in plan(runs.options(sure), runs.run("sure plan").directory)["remarks"])
    assert runs.open(sure, "sure").prediction == "epsilon" and "predicts" not in runs.run("sure").messages
