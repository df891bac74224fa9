"""Whether a checkpoint predicts the noise or the velocity, and whether its schedule ends in noise alone."""

import json

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.models.checkpoints import read_outline  # noqa: E402
from lib_trainer.models.loading import load_model  # noqa: E402
from lib_trainer.models.sampling import SampleRequest, sample  # noqa: E402
from lib_trainer.models.schedule import scaled_linear  # noqa: E402
from lib_trainer.weights.checkpoints import write_checkpoint  # noqa: E402
from tests.models.families import CHECKPOINTS, sd2_checkpoint, sdxl_checkpoint  # noqa: E402

V_PRED, ZTSNR = {"v_pred": torch.tensor([])}, {"ztsnr": torch.tensor([])}
V_OF_SDXL = "sgm.modules.diffusionmodules.denoiser_scaling.VScaling"
EPS_OF_SDXL = "sgm.modules.diffusionmodules.denoiser_scaling.EpsScaling"


def predictions(path, cpu):
    return {load_model(path, torch.float32, cpu).prediction, read_outline(path).prediction}


@pytest.mark.parametrize("family", CHECKPOINTS)
@pytest.mark.parametrize(
    ("told", "prediction"),
    [
        ({}, "epsilon"),
        ({"extra": V_PRED}, "v"),
        ({"metadata": {"modelspec.prediction_type": "v"}}, "v"),
        ({"metadata": {"modelspec.prediction_type": "epsilon"}}, "epsilon"),
        ({"metadata": {"modelspec.architecture": "stable-diffusion-v2-768-v"}}, "v"),
    ],
)
def test_the_file_tells_its_prediction(family, told, prediction, tmp_path, cpu):
    assert predictions(CHECKPOINTS[family](tmp_path / "model.safetensors", **told), cpu) == {prediction}


@pytest.mark.parametrize(
    ("make", "params", "prediction"),
    [
        (sd2_checkpoint, {"parameterization": "v"}, "v"),
        (sdxl_checkpoint, {"denoiser_config": {"params": {"scaling_config": {"target": V_OF_SDXL}}}}, "v"),
        (sdxl_checkpoint, {"denoiser_config": {"params": {"scaling_config": {"target": EPS_OF_SDXL}}}}, "epsilon"),
    ],
)
def test_the_configuration_beside_it_tells_its_prediction(make, params, prediction, tmp_path, cpu):
    path = make(tmp_path / "model.safetensors")
    plain = load_model(path, torch.float32, cpu)
    path.with_suffix(".yaml").write_text(json.dumps({"model": {"params": params}}), encoding="utf-8")
    assert predictions(path, cpu) == {prediction}
    inputs = torch.randn(1, 4, 8, 8), torch.tensor([5]), plain.encode_text(plain.tokenize(["a"]), 1)
    with torch.no_grad():
        assert torch.equal(load_model(path, torch.float32, cpu).predict(*inputs), plain.predict(*inputs))


def answering(value):
    """A U-Net whose answer is this value."""
    last = "model.diffusion_model.out.2"
    return {f"{last}.weight": torch.zeros(4, 64, 3, 3), f"{last}.bias": torch.full((4,), value)}


@pytest.mark.parametrize(("value", "prediction"), [(-0.51, "v"), (-0.49, "epsilon"), (0.5, "epsilon")])
def test_a_silent_model_of_version_2_is_tried_as_the_webui_tries_it(value, prediction, tmp_path, cpu):
    """AUTOMATIC1111 takes it for one of the velocity if its answer to 0.5 lies more than 1 below that."""
    path = sd2_checkpoint(tmp_path / "model.safetensors", extra=answering(value))
    model = load_model(path, torch.float32, cpu)
    assert not model.prediction_told and not read_outline(path).prediction_told
    assert model.parts and model.prediction == prediction


@pytest.mark.parametrize("told", [{"metadata": {"modelspec.prediction_type": "epsilon"}}, {"extra": V_PRED}])
def test_what_the_file_says_is_not_tried(told, tmp_path, cpu):
    said = "v" if "extra" in told else "epsilon"
    extra = answering(-5.0 if said == "epsilon" else 5.0) | told.get("extra", {})
    path = sd2_checkpoint(tmp_path / "model.safetensors", **{**told, "extra": extra})
    model = load_model(path, torch.float32, cpu)
    assert model.prediction_told and model.parts and model.prediction == said
    assert load_model(sdxl_checkpoint(tmp_path / "xl.safetensors"), torch.float32, cpu).prediction_told


def test_marks_come_through_writing_and_a_marked_schedule_ends_in_noise_alone(tmp_path, cpu):
    model = load_model(sdxl_checkpoint(tmp_path / "model.safetensors", extra=V_PRED | ZTSNR), torch.float32, cpu)
    write_checkpoint(model, tmp_path / "again.safetensors")
    again = load_model(tmp_path / "again.safetensors", torch.float32, cpu)
    assert again.prediction == "v"
    assert again.alphas_cumprod[-1] == 0 and (again.alphas_cumprod[:-1] > 0).all()
    (picture,) = sample(again, SampleRequest(("a",), (1,), steps=3, width=64, height=64))
    assert picture.getextrema() != ((0, 0),) * 3


def test_the_rescaled_schedule_is_diffusers_own():
    from diffusers.schedulers.scheduling_ddim import rescale_zero_terminal_snr

    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    expected = torch.cumprod(1 - rescale_zero_terminal_snr(betas), dim=0)
    ours = scaled_linear(0.00085, 0.012, 1000, zero_terminal_snr=True)
    assert torch.allclose(ours, expected.float(), atol=1e-6)
    assert ours[0] == scaled_linear(0.00085, 0.012, 1000)[0]
