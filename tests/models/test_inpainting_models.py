"""Inpainting models: told of a mask and of what is around it, on all three families."""

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.models.checkpoints import family_of  # noqa: E402
from lib_trainer.models.foreign import what_it_looks_like  # noqa: E402
from lib_trainer.models.loading import load_model  # noqa: E402
from lib_trainer.models.sampling import SampleRequest, sample  # noqa: E402
from lib_trainer.models.webui_config import webui_config  # noqa: E402
from lib_trainer.weights.checkpoints import write_checkpoint  # noqa: E402
from tests.models.families import SHAPES, for_inpainting, inpainting_checkpoint  # noqa: E402
from tests.models.miniature import FULL, MINIATURE, miniature_checkpoint  # noqa: E402

REFERENCE = Path(__file__).parents[1] / "reference"
FIRST = "model.diffusion_model.input_blocks.0.0.weight"
CPU = torch.device("cpu")


@pytest.fixture(scope="module", params=list(SHAPES))
def family(request):
    return request.param


@pytest.fixture(scope="module")
def file(family, tmp_path_factory):
    return inpainting_checkpoint(family, tmp_path_factory.mktemp("inpainting") / f"{family}.safetensors")


@pytest.fixture
def model(file):
    return load_model(file, torch.float32, CPU)


def test_the_released_names_with_nine_channels_are_the_familys(family):
    names = json.loads((REFERENCE / f"{family}_checkpoint_keys.json").read_text(encoding="utf-8"))
    shapes = {name: tuple(shape) for name, shape in names.items()}
    for channels, expected in ((4, family), (9, family), (8, None)):
        first = {FIRST: (shapes[FIRST][0], channels, 3, 3)}
        if expected:
            assert family_of(Path("model.safetensors"), {**shapes, **first}).name == expected
    assert "instruct-pix2pix" in what_it_looks_like({FIRST: (320, 8, 3, 3)})


@torch.no_grad()
def test_the_mask_and_the_kept_latents_follow_the_noisy_ones(family, model):
    """The answer of diffusers' own U-Net with nine channels, given them in diffusers' order."""
    unet = model.parts["unet"]
    assert model.is_inpainting and unet.config.in_channels == 9 and unet.config.out_channels == 4
    noisy, mask, kept = torch.randn(2, 4, 8, 8), torch.zeros(2, 1, 8, 8), torch.randn(2, 4, 8, 8)
    mask[:, :, 2:5, 3:] = 1
    text = model.encode_text(model.tokenize(["a cat", ""]), 1)
    answer = model.predict(noisy, torch.tensor([3, 700]), text, around=torch.cat([mask, kept], dim=1))
    plain = type(unet)(**dict(unet.config)).eval()
    plain.load_state_dict(unet.state_dict())
    told = {"return_dict": False}
    if family == "sdxl":
        from lib_trainer.models.sdxl_text import unpacked

        text, pooled = unpacked(text, 48)
        sizes = torch.tensor([[64, 64, 0, 0, 64, 64]]).expand(2, -1)
        told["added_cond_kwargs"] = {"text_embeds": pooled, "time_ids": sizes}
    given = torch.cat([noisy, mask, kept], dim=1)
    assert answer.std() > 0.1
    assert torch.allclose(answer, plain(given, torch.tensor([3, 700]), text, **told)[0], atol=1e-5)


@torch.no_grad()
def test_without_surroundings_the_whole_of_a_grey_picture_is_drawn_anew(model):
    """As AUTOMATIC1111's txt2img has it: a mask of ones, and the latents of a picture of even grey."""
    noisy, text = torch.randn(2, 4, 8, 16), model.encode_text(model.tokenize(["a cat", ""]), 1)
    grey, _ = model.encode_pictures(torch.zeros(1, 3, 64, 128))
    around = torch.cat([torch.ones(1, 1, 8, 16), grey], dim=1).expand(2, -1, -1, -1)
    inputs = noisy, torch.tensor([5, 9]), text
    assert torch.equal(model.predict(*inputs), model.predict(*inputs, around=around))
    assert not torch.equal(model.predict(*inputs), model.predict(*inputs, around=torch.zeros_like(around)))
    (picture,) = sample(model, SampleRequest(("a cat",), (1,), steps=2, width=64, height=64))
    assert picture.size == (64, 64)


@pytest.mark.parametrize("form", ["safetensors", "ckpt"])
def test_files_are_written_back_with_nine_channels(family, model, file, form, tmp_path):
    path = tmp_path / f"again.{form}"
    write_checkpoint(model, path, form=form)
    again, source = load_model(path, torch.float32, CPU), load_model(file, torch.float32, CPU)
    assert again.is_inpainting and again.family == family
    one, other = again.original_tensors(), source.original_tensors()
    assert all(torch.equal(one[name], other[name]) for name in other)


def test_a_folder_is_of_diffusers_inpainting_kind_and_is_read_again(family, model, tmp_path):
    write_checkpoint(model, tmp_path / "folder", form="diffusers")
    index = json.loads((tmp_path / "folder" / "model_index.json").read_text(encoding="utf-8"))
    expected = "StableDiffusionXLInpaintPipeline" if family == "sdxl" else "StableDiffusionInpaintPipeline"
    assert index["_class_name"] == expected
    assert load_model(tmp_path / "folder", torch.float32, CPU).is_inpainting


def test_the_webuis_configuration_says_that_it_is_one():
    """By hand from v1-inpainting-inference.yaml."""
    from lib_trainer.models.sd1_settings import Settings

    told = webui_config(for_inpainting(FULL), Settings((8,) * 4, 12), "v")["model"]
    assert told["target"] == "ldm.models.diffusion.ddpm.LatentInpaintDiffusion"
    assert told["params"]["conditioning_key"] == "hybrid" and told["params"]["finetune_keys"] is None
    assert told["params"]["unet_config"]["params"]["in_channels"] == 9
    assert told["params"]["unet_config"]["params"]["out_channels"] == 4


def test_other_models_are_told_of_nothing_around(tmp_path):
    model = load_model(miniature_checkpoint(tmp_path / "plain.safetensors"), torch.float32, CPU)
    assert not model.is_inpainting and MINIATURE.unet.input_channels == 4
