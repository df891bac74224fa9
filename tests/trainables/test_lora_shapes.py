"""What a network is going to be is told from the header alone exactly as it then is."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.models.checkpoints import read_outline  # noqa: E402
from lib_trainer.models.loading import load_model  # noqa: E402
from lib_trainer.trainables.file_names import in_original_names  # noqa: E402
from lib_trainer.trainables.lora import Lora  # noqa: E402
from tests.models.miniature import miniature_checkpoint  # noqa: E402

DEMO = Path(__file__).parents[2] / "lib_trainer" / "demo" / "model" / "emoji-tiny.safetensors"
REFERENCE = Path(__file__).parents[1] / "reference"
BOTH = ["unet", "text_encoder"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return {"demo": DEMO, "miniature": miniature_checkpoint(tmp_path_factory.mktemp("models") / "mini.safetensors")}


@pytest.mark.parametrize("model", ["demo", "miniature"])
@pytest.mark.parametrize("original", [False, True])
@pytest.mark.parametrize("parts", [BOTH, ["unet"], ["text_encoder"]])
@pytest.mark.parametrize("options", [Lora(rank=3), Lora(rank=4, alpha=2.0, conv_rank=2, conv_alpha=0.5)])
def test_the_outline_is_that_of_the_network_that_is_then_started(files, model, original, parts, options):
    outline = options.outline(read_outline(files[model]), parts, original)
    loaded = load_model(files[model], torch.float32, torch.device("cpu"))
    network = options.attach(loaded, parts, 0)
    tensors = in_original_names(loaded, network.tensors()) if original else network.tensors()
    assert outline.file == {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    assert outline.metadata == network.metadata()
    trained = [tuple(tensor.shape) for part in parts for tensor in network.parameters(part)]
    assert sorted(outline.trained) == sorted(trained)


@pytest.mark.parametrize(
    ("options", "reference"),
    [(Lora(rank=8, alpha=8), "sd1_lora_keys.json"), (Lora(rank=8, alpha=8, conv_rank=4), "sd1_locon_keys.json")],
)
def test_of_stable_diffusion_itself_it_is_that_of_the_files_that_the_webui_reads(full_header, options, reference):
    expected = json.loads((REFERENCE / reference).read_text(encoding="utf-8"))
    file = options.outline(read_outline(full_header), BOTH, False).file
    assert {name: list(shape) for name, shape in file.items()} == expected
    assert sum(math.prod(shape) for shape in file.values()) > 4_000_000
