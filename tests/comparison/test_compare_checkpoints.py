"""Trained checkpoints beside the model that they come from."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from PIL import Image  # noqa: E402

from lib_trainer.comparison.plan import has_only_loras  # noqa: E402
from lib_trainer.models.loading import load_model  # noqa: E402
from lib_trainer.weights.checkpoints import write_checkpoint  # noqa: E402
from tests.comparison.conftest import MODEL  # noqa: E402


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The model with a U-Net that was changed, as a file and as a folder."""
    model = load_model(MODEL, torch.float32, torch.device("cpu"))
    generator = torch.Generator().manual_seed(3)
    for weight in model.parts["unet"].parameters():
        weight.data += torch.randn(weight.shape, generator=generator) * 0.02
    folder = tmp_path_factory.mktemp("trained")
    write_checkpoint(model, folder / "fox-e001.safetensors", torch.float32)
    write_checkpoint(model, folder / "fox-e001-folder", torch.float32, form="diffusers")
    return folder


def pixels(path):
    return Image.open(path).convert("RGB").tobytes()


def test_a_trained_checkpoint_is_a_row_that_draws_as_it_draws_as_the_model(compare, options, trained, tmp_path):
    file = trained / "fox-e001.safetensors"
    beside = compare(options(networks=(file, trained / "fox-e001-folder")))
    base, of_file, of_folder = beside["cells"]
    alone = compare(options(model=file, networks=(file,), output=tmp_path / "alone"))["cells"][0]
    assert pixels(of_file) == pixels(of_folder) == pixels(alone)
    assert pixels(of_file) != pixels(base)


def test_its_pictures_text_names_it_as_the_model(compare, options, trained):
    told = compare(options(networks=(trained / "fox-e001.safetensors",)))["cells"]
    texts = [Image.open(path).info["parameters"] for path in told]
    assert "Model: emoji-tiny" in texts[0] and "Model: fox-e001" in texts[1]
    hashes = [text.split("Model hash: ")[1][:10] for text in texts]
    assert hashes[0] != hashes[1]
    assert "<lora" not in texts[1]


def test_a_webui_leaves_them_to_the_engine(options, trained):
    assert has_only_loras(options())
    for name in ("fox-e001.safetensors", "fox-e001-folder"):
        assert not has_only_loras(options(networks=(trained / name,)))
