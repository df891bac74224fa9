"""A network file tells which family of models it was made for, and one of another family is refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import ModelError  # noqa: E402
from lib_trainer.models.families import FAMILIES  # noqa: E402
from lib_trainer.models.loading import load_model  # noqa: E402
from lib_trainer.trainables.lora import Lora  # noqa: E402
from lib_trainer.trainables.network_family import family_of_network, misfit  # noqa: E402
from lib_trainer.weights.networks import open_network, write_network  # noqa: E402
from tests.models.families import sd2_checkpoint  # noqa: E402
from tests.models.miniature import miniature_checkpoint  # noqa: E402

REFERENCE = Path(__file__).parents[1] / "reference"


@pytest.mark.parametrize("family", list(FAMILIES))
@pytest.mark.parametrize("kind", ["lora", "locon"])
def test_names_and_shapes_of_files_in_full_size_tell_their_family(family, kind):
    shapes = json.loads((REFERENCE / f"{family}_{kind}_keys.json").read_text(encoding="utf-8"))
    assert family_of_network(shapes, {}) == family


@pytest.mark.parametrize("family", list(FAMILIES))
def test_where_shapes_do_not_the_header_does(family):
    labels = FAMILIES[family].labels
    for prediction in labels.base:
        assert family_of_network({}, {"ss_base_model_version": labels.base[prediction]}) == family
        assert family_of_network({}, {"modelspec.architecture": labels.architecture[prediction]}) == family
    assert family_of_network({"lora_unet_x.lora_down.weight": (4, 768)}, {}) is None


def test_a_file_of_another_family_is_refused_with_both_families(tmp_path):
    model = load_model(miniature_checkpoint(tmp_path / "mini.safetensors"), torch.float32, torch.device("cpu"))
    path = tmp_path / "net.safetensors"
    network = Lora(rank=2).attach(model, ["unet"], 0)
    write_network(path, network.tensors(), torch.float16, {"ss_base_model_version": "sd_v1"})
    assert misfit(path, "sd1") is None
    other = load_model(sd2_checkpoint(tmp_path / "sd2.safetensors"), torch.float32, torch.device("cpu"))
    with pytest.raises(ModelError, match=r"net\.safetensors: it was made for SD1 models, and this is SD2\. "):
        open_network(other, path)
