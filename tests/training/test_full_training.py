"""Training the model itself: its rates, its number formats, and the checkpoints that come out."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from safetensors import safe_open  # noqa: E402
from safetensors.torch import load_file  # noqa: E402

from lib_trainer.core.errors import ConfigError  # noqa: E402
from lib_trainer.core.places import DATA_VARIABLE  # noqa: E402
from lib_trainer.models.loading import load_model  # noqa: E402
from lib_trainer.training.plan import plan  # noqa: E402
from tests.models.families import sdxl_checkpoint  # noqa: E402
from tests.models.miniature import miniature_checkpoint  # noqa: E402
from tests.training.runs import equal  # noqa: E402

FULL = {"trainable": "full", "max_steps": 2}
TEXT = "cond_stage_model."
UNET = "model.diffusion_model."


@pytest.fixture(scope="module")
def sdxl(tmp_path_factory):
    return sdxl_checkpoint(tmp_path_factory.mktemp("models") / "sdxl.safetensors")


def test_what_is_not_trained_is_written_as_it_was_and_the_u_net_is_not(runs, things):
    source = load_file(things / "miniature.safetensors")
    found = runs.train(FULL).tensors()
    assert found.keys() == source.keys()
    for name, tensor in source.items():
        same = torch.equal(found[name], tensor.float() if tensor.is_floating_point() else tensor)
        assert same != name.startswith(UNET), name


def test_averages_of_the_weights_as_they_were_are_not_written(runs, tmp_path):
    averages = {"model_ema.diffusion_modelconv": torch.ones(4), "model_ema.decay": torch.tensor(0.9999)}
    model = miniature_checkpoint(tmp_path / "averaged.safetensors", extra=averages)
    told = {**FULL, "model": str(model)}
    (planned,) = [file for file in plan(runs.options(told), runs.run("plan").directory)["files"]
                  if file["kind"] == "network"]
    run = runs.train(told)
    assert run.tensors().keys() == load_file(model).keys() - averages.keys()
    assert planned["bytes"] == pytest.approx(run.networks[0].stat().st_size, abs=64)


def test_its_header_tells_of_a_model_and_not_of_a_lora(runs):
    with safe_open(runs.train(FULL).networks[0], "pt") as file:
        told = file.metadata()
    assert told["modelspec.architecture"] == "stable-diffusion-v1"
    assert told["modelspec.title"] == "net-e000-s000002"
    assert not any(name.startswith("ss_network") for name in told)


@pytest.mark.option("SavingOptions.folder", "TrainingOptions.trainable")
def test_checkpoints_lie_among_the_webuis(runs, tmp_path, monkeypatch):
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "own"))
    planned = plan(runs.options({**FULL, "saving": {"folder": None}}), runs.run("plan").directory)
    assert planned["folder"] == str(tmp_path / "own" / "models" / "Stable-diffusion")


def test_the_plan_remarks_on_a_rate_that_is_a_loras(runs):
    def remarks(**told):
        return "\n".join(plan(runs.options({**FULL, **told}), runs.run("plan").directory)["remarks"])

    assert "A learning rate of 0.0001 is high for training the model itself" in remarks(learning_rate=1e-4)
    assert "high for training" not in remarks(learning_rate=1e-5)
    assert "high for training" not in remarks(learning_rate=1e-4, trainable={"type": "lora", "rank": 2})


@pytest.mark.option("SavingOptions.format")
@pytest.mark.parametrize(("wished", "name"), [("ckpt", "net-e000-s000002.ckpt"), ("diffusers", "net-e000-s000002")])
def test_a_checkpoint_is_written_in_the_form_that_is_told(runs, wished, name):
    plain = runs.train(FULL, "plain").tensors()
    told = {**FULL, "saving": {"format": wished}}
    planned = plan(runs.options(told), runs.run("plan").directory)
    run = runs.train(told)
    path = run.out / name
    assert run.result["networks"] == [str(path)]
    assert (run.out / "net-e000-s000002.json").is_file()
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    (network,) = [file for file in planned["files"] if file["kind"] == "network"]
    assert network["name"] == name
    assert network["bytes"] == pytest.approx(sum(file.stat().st_size for file in files), rel=0.1)
    model = load_model(path, torch.float32, torch.device("cpu"))
    assert torch.equal(model.parts["unet"].conv_in.weight, plain[f"{UNET}input_blocks.0.0.weight"])


@pytest.mark.option("TrainingOptions.second_text_encoder_learning_rate")
@pytest.mark.parametrize("kind", [{"type": "lora", "rank": 2}, {"type": "full", "text_layers": 1}])
def test_the_text_encoders_of_sdxl_have_rates_of_their_own(runs, sdxl, kind):
    told = {"model": str(sdxl), "trainable": kind, "max_steps": 1, "learning_rate": 1e-3,
            "text_encoder_learning_rate": 2e-3}
    both = runs.open({**told, "second_text_encoder_learning_rate": 4e-3})
    assert both.group_rates == [("unet", 1e-3), ("first_text_encoder", 2e-3), ("second_text_encoder", 4e-3)]
    as_one = runs.open(told, "one")
    assert len(both.parameters) == len(as_one.parameters)
    alone = runs.open({**told, "second_text_encoder_learning_rate": 0}, "alone")
    trained = set(alone.network.tensors())
    assert any("te1" in name or "first." in name for name in trained)
    assert not any("te2" in name or "second." in name or "projection" in name for name in trained)


@pytest.mark.option("TrainingOptions.second_text_encoder_learning_rate")
def test_equal_rates_told_apart_train_as_one_rate_does(runs, sdxl):
    told = {"model": str(sdxl), "max_steps": 2, "text_encoder_learning_rate": 1e-3, "max_grad_norm": None}
    one, two = (
        runs.train({**told, "second_text_encoder_learning_rate": second}, name).tensors()
        for second, name in ((None, "one"), (1e-3, "two"))
    )
    assert equal(one, two)


@pytest.mark.option("TrainingOptions.second_text_encoder_learning_rate")
def test_a_rate_for_a_second_text_encoder_is_refused_where_there_is_none(runs):
    told = {"second_text_encoder_learning_rate": 1e-4}
    for begin in (lambda: runs.open(told), lambda: plan(runs.options(told), runs.run().directory)):
        with pytest.raises(ConfigError, match=r"miniature\.safetensors has only one text encoder; leave it empty"):
            begin()


@pytest.mark.option("TrainingOptions.text_encoder_rate_scale")
def test_the_text_encoders_rate_can_be_told_as_a_multiple(runs):
    told = {"text_encoder_learning_rate": None, "learning_rate": 1e-3}
    assert runs.options({**told, "text_encoder_rate_scale": 0.5}).learning_rates["text_encoder"] == 5e-4
    assert runs.options(told).learning_rates["text_encoder"] == 1e-3
    assert list(runs.options({**told, "text_encoder_rate_scale": 0}).learning_rates) == ["unet"]
    with pytest.raises(ConfigError, match=r"'text_encoder_rate_scale' is 0\.5 and .* is 0\.0001; give one of them"):
        runs.options({"text_encoder_rate_scale": 0.5, "text_encoder_learning_rate": 1e-4})


@pytest.mark.option("TrainingOptions.frozen_precision")
def test_the_model_is_kept_in_32_bits_whatever_the_arithmetic(runs):
    session = runs.open({**FULL, "precision": "bf16"})
    assert {weight.dtype for weight in session.parameters} == {torch.float32}
    assert session.denoise(torch.zeros(1, 4, 8, 8), torch.tensor([5]), ["a"]).dtype == torch.bfloat16
    told = {**FULL, "precision": "bf16", "frozen_precision": "bf16"}
    for begin in (lambda: runs.open(told, "b"), lambda: plan(runs.options(told), runs.run().directory)):
        with pytest.raises(ConfigError, match="'frozen_precision' is 'bf16', but a model that is trained itself"):
            begin()


def test_in_bf16_it_learns_and_resumes_to_the_bit(runs):
    told = {**FULL, "precision": "bf16", "max_steps": 3, "text_encoder_learning_rate": 1e-3,
            "trainable": {"type": "full", "text_layers": 1}, "gradient_checkpointing": True}
    whole = runs.train(told, "whole")
    runs.train(told, "parts", stop_at=2)
    assert equal(runs.train(told, "parts").tensors(), whole.tensors())
    assert len(whole.losses) == 3
