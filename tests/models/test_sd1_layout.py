import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import ModelError  # noqa: E402
from lib_trainer.models.sd1_layout import read_layout  # noqa: E402
from tests.models.miniature import FULL, MINIATURE, shapes_of  # noqa: E402

REFERENCE = Path(__file__).parents[1] / "reference" / "sd1_checkpoint_keys.json"
FILE = Path("model.safetensors")


def test_the_sizes_of_stable_diffusion_1_5_are_read_from_its_shapes():
    assert read_layout(FILE, json.loads(REFERENCE.read_text(encoding="utf-8"))) == FULL


def test_the_sizes_of_a_miniature_are_read_from_its_shapes():
    assert read_layout(FILE, shapes_of(MINIATURE)) == MINIATURE


def test_a_missing_size_is_named():
    shapes = shapes_of(MINIATURE)
    del shapes["first_stage_model.post_quant_conv.weight"]
    with pytest.raises(ModelError, match=r"model\.safetensors lacks the tensor 'first_stage_model\.post_quant_conv"):
        read_layout(FILE, shapes)


def test_levels_of_uneven_depth_are_refused():
    shapes = shapes_of(MINIATURE)
    shapes["model.diffusion_model.input_blocks.4.0.out_layers.3.weight"] = (64, 64, 3, 3)
    with pytest.raises(ModelError, match="within a level all must be equal"):
        read_layout(FILE, shapes)
