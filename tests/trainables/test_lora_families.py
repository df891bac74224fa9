"""The layers of LoRA and LoCon on Stable Diffusion 2 and XL in full size, by the names that the WebUI matches."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.models.families import FAMILIES  # noqa: E402
from lib_trainer.trainables.difference import Difference  # noqa: E402
from lib_trainer.trainables.lora import Lora  # noqa: E402

REFERENCE = Path(__file__).parents[1] / "reference"
BOTH = ["unet", "text_encoder"]
# Those lists of linear layers count residual blocks' as well, which join in with `conv_rank` here as in kohya's files.
OF_RESIDUAL_BLOCKS = ("time_emb_proj", "conv_shortcut", "emb_layers_1", "skip_connection")


def as_the_models_own(shapes):
    """Kohya's modules of Stable Diffusion 2 have 1x1 convolutions where the model has linear layers, as the WebUI."""
    return {
        name: shape[:2] if "_proj_in." in name or "_proj_out." in name else shape for name, shape in shapes.items()
    }


def read(name):
    return json.loads((REFERENCE / name).read_text(encoding="utf-8"))


@pytest.fixture(params=["sd2", "sdxl"])
def family(request):
    return request.param


@pytest.fixture
def outline(family, tmp_path):
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"")
    shapes = {name: tuple(shape) for name, shape in read(f"{family}_checkpoint_keys.json").items()}
    from lib_trainer.models.tensor_headers import header_bytes

    described = [(name, "F16", shape) for name, shape in shapes.items()]
    with file.open("wb") as stream:
        start = stream.write(header_bytes(described, {}))
        stream.truncate(start + 2 * sum(torch.Size(shape).numel() for shape in shapes.values()))
    return FAMILIES[family].outline(file, shapes)


def test_locon_has_exactly_the_names_and_shapes_that_the_webui_matches(family, outline):
    file = Lora(rank=8, alpha=8, conv_rank=4).outline(outline, BOTH, False).file
    assert {name: list(shape) for name, shape in file.items()} == as_the_models_own(
        read(f"{family}_locon_keys.json")
    )


def test_lora_has_those_of_transformers_and_text_encoders(family, outline):
    file = Lora(rank=8, alpha=8).outline(outline, BOTH, False).file
    expected = {
        name: shape
        for name, shape in read(f"{family}_lora_keys.json").items()
        if not name.partition(".")[0].endswith(OF_RESIDUAL_BLOCKS)
    }
    assert {name: list(shape) for name, shape in file.items()} == as_the_models_own(expected)
    counts = {"sd2": {"unet": 192, "te": 138}, "sdxl": {"unet": 722, "te1": 72, "te2": 192}}[family]
    layers = [name.removesuffix(".alpha").split("_")[1] for name in file if name.endswith(".alpha")]
    assert {part: layers.count(part) for part in set(layers)} == counts


def test_a_file_with_convolutions_for_linear_layers_is_read_all_the_same(tmp_path):
    from lib_trainer.models.loading import load_model
    from tests.models.families import sd2_checkpoint

    model = load_model(sd2_checkpoint(tmp_path / "sd2.safetensors"), torch.float32, torch.device("cpu"))
    network = Lora(rank=2).attach(model, BOTH, 0)
    tensors = {name: tensor.clone() for name, tensor in network.tensors().items()}
    network.detach()
    as_kohya = {
        name: tensor[:, :, None, None] if "_proj_in.lora" in name or "_proj_out.lora" in name else tensor
        for name, tensor in tensors.items()
    }
    assert sum(tensor.ndim == 4 for tensor in as_kohya.values()) > 4
    again = Lora.open(model, as_kohya, {}).tensors()
    assert again.keys() == tensors.keys()
    assert all(torch.equal(again[name], tensor) for name, tensor in tensors.items())


def test_differences_leave_the_biases_alone_that_the_webui_would_not_change(family, outline):
    """Its OpenCLIP encoders have one matrix and one bias for q, k and v; it adds to the former only."""
    file = Difference().outline(outline, BOTH, False).file
    layers = {name.removesuffix(".diff_b") for name in file if name.endswith(".diff_b") and "lora_te" in name}
    joined = "lora_te2_" if family == "sdxl" else "lora_te_"
    ends = {name.rpartition("_layers_0_")[2] for name in layers if name.startswith(joined) and "_layers_0_" in name}
    assert ends == {"self_attn_out_proj", "mlp_fc1", "mlp_fc2"}
    assert ("lora_te1_text_model_encoder_layers_0_self_attn_q_proj" in layers) == (family == "sdxl")
