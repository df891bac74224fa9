"""What a checkpoint's header tells is what the loaded model is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import ModelError  # noqa: E402
from lib_trainer.models.checkpoints import count_weights, read_outline, read_shapes  # noqa: E402
from lib_trainer.models.loading import load_model  # noqa: E402

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "lib_trainer" / "demo" / "model" / "emoji-tiny.safetensors"


def test_an_outline_tells_what_the_loaded_model_is(model, miniature_file):
    outline = read_outline(miniature_file)
    assert (outline.family, outline.prediction) == (model.family, model.prediction)
    assert outline.pixels_per_latent == model.pixels_per_latent
    assert outline.values == sum(tensor.numel() for part in model.parts.values() for tensor in part.parameters())
    assert outline.looked_up == model.parts["text_encoder"].get_input_embeddings().weight.numel()
    assert outline.stored_bytes == 2
    for part, module in model.parts.items():
        weights = {name.removesuffix(".weight"): tuple(tensor.shape) for name, tensor in module.named_parameters()
                   if name.endswith(".weight")}  # fmt: skip
        assert outline.modules[part] == weights
        for name in weights:
            assert outline.names.network_name(part, name) == model.network_name(part, name)
            assert outline.names.original_network_name(part, name) == model.original_network_name(part, name)
    assert outline.names.webui_knows_network_names == model.webui_knows_network_names


def test_the_configuration_beside_a_model_is_heeded():
    assert read_outline(DEMO).prediction == load_model(DEMO, torch.float32, torch.device("cpu")).prediction
    assert read_outline(DEMO).pixels_per_latent == 8


def test_a_diffusers_folder_has_the_outline_of_its_file(folder, miniature_file):
    one, other = read_outline(folder), read_outline(miniature_file)
    assert (one.modules, one.values, one.width) == (other.modules, other.values, other.width)
    assert count_weights(folder) == count_weights(miniature_file)


def test_a_pytorch_file_has_the_shapes_of_its_tensors(tmp_path):
    torch.save({"state_dict": {"a": torch.zeros(2, 3)}}, tmp_path / "a.ckpt")
    assert read_shapes(tmp_path / "a.ckpt") == {"a": (2, 3)}


@pytest.mark.parametrize(
    ("name", "said"), [("gone.safetensors", "does not exist"), ("a.zip", "ends in '.zip'"), ("a.safetensors", "only")]
)
def test_what_is_no_model_is_named(tmp_path, name, said):
    if not name.startswith("gone"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(ModelError, match=f"{name}.*{said}"):
        read_outline(tmp_path / name)


def test_a_safetensors_file_is_outlined_without_torch():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from pathlib import Path\n"
        "from lib_trainer.models.checkpoints import read_outline\n"
        "print(read_outline(Path(sys.argv[1])).family)"
    )
    command = [sys.executable, "-c", code, str(DEMO)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.stdout == "sd1\n", done.stderr
