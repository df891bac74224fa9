"""The names and shapes of Stable Diffusion 2 and XL: all known, and the text encoders' tensors kept to the bit."""

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.models.checkpoints import family_of, read_outline  # noqa: E402
from lib_trainer.models.loading import load_model  # noqa: E402
from lib_trainer.models.open_clip import as_clip  # noqa: E402
from lib_trainer.models.sd2_layout import PREFIXES as SD2_PREFIXES  # noqa: E402
from lib_trainer.models.sd2_layout import read_sd2_layout  # noqa: E402
from lib_trainer.models.sdxl_layout import PREFIXES as SDXL_PREFIXES  # noqa: E402
from lib_trainer.models.sdxl_layout import read_sdxl_layout  # noqa: E402
from tests.models.families import (  # noqa: E402
    CHECKPOINTS,
    SD2_FULL,
    SDXL_FULL,
    shapes_of_sd2,
    shapes_of_sdxl,
)

REFERENCE = Path(__file__).parents[1] / "reference"
FILE = Path("model.safetensors")
POSITION_IDS = "conditioner.embedders.0.transformer.text_model.embeddings.position_ids"  # optional


def reference(family):
    names = json.loads((REFERENCE / f"{family}_checkpoint_keys.json").read_text(encoding="utf-8"))
    return {name: tuple(shape) for name, shape in names.items() if name != POSITION_IDS}


@pytest.mark.parametrize(
    ("family", "shapes"), [("sd2", shapes_of_sd2(SD2_FULL)), ("sdxl", shapes_of_sdxl(SDXL_FULL))]
)
def test_the_full_size_has_exactly_the_names_and_shapes_of_the_released_checkpoints(family, shapes):
    assert shapes == reference(family)
    assert family_of(FILE, reference(family)).name == family


def test_the_full_sizes_are_read_from_the_released_shapes():
    import dataclasses

    sd2 = read_sd2_layout(FILE, as_clip(reference("sd2"), SD2_PREFIXES))
    assert sd2 == dataclasses.replace(SD2_FULL, text=dataclasses.replace(SD2_FULL.text, layers=23))
    assert read_sdxl_layout(FILE, as_clip(reference("sdxl"), SDXL_PREFIXES)) == SDXL_FULL


@pytest.mark.parametrize("family", CHECKPOINTS)
def test_every_tensor_of_the_file_comes_back_to_the_bit(family, tmp_path, cpu):
    from safetensors.torch import load_file

    path = CHECKPOINTS[family](tmp_path / "model.safetensors")
    model = load_model(path, torch.float16, cpu)
    assert model.family == family
    assert all(not parameter.is_meta for part in model.parts.values() for parameter in part.parameters())
    source, tensors = load_file(path), model.original_tensors()
    assert set(tensors) == set(source)
    assert all(torch.equal(tensors[name], tensor) for name, tensor in source.items())


@pytest.mark.parametrize("family", CHECKPOINTS)
def test_a_changed_projection_of_the_text_changes_its_third_of_the_joined_tensor_only(family, tmp_path, cpu):
    model = load_model(CHECKPOINTS[family](tmp_path / "model.safetensors"), torch.float16, cpu)
    text = model.parts["text_encoder"]
    before = {name: tensor.clone() for name, tensor in model.original_tensors().items()}
    (text.second if family == "sdxl" else text).encoder.layers[1].self_attn.k_proj.weight.fill_(3)
    after = model.original_tensors()
    (changed,) = [name for name, tensor in before.items() if not torch.equal(after[name], tensor)]
    assert changed.endswith("model.transformer.resblocks.1.attn.in_proj_weight")
    third = len(after[changed]) // 3
    assert (after[changed][third : 2 * third] == 3).all()
    assert torch.equal(after[changed][:third], before[changed][:third])
    assert torch.equal(after[changed][2 * third :], before[changed][2 * third :])


@pytest.mark.parametrize("family", CHECKPOINTS)
def test_the_outline_has_the_modules_of_the_loaded_model(family, tmp_path, cpu):
    path = CHECKPOINTS[family](tmp_path / "model.safetensors")
    outline, model = read_outline(path), load_model(path, torch.float16, cpu)
    assert outline.family == family
    for name, part in model.parts.items():
        shapes = {
            module: tuple(inside.weight.shape)
            for module, inside in part.named_modules()
            if isinstance(getattr(inside, "weight", None), torch.nn.Parameter)
        }
        assert outline.modules[name] == shapes
    assert outline.values == sum(tensor.numel() for part in model.parts.values() for tensor in part.parameters())
