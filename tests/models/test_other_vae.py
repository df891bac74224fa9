"""Another VAE than the checkpoint's own, in each form in which VAEs are handed on."""

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import ModelError  # noqa: E402
from lib_trainer.models.checkpoints import read_outline  # noqa: E402
from lib_trainer.models.loading import load_model  # noqa: E402
from lib_trainer.weights.checkpoints import write_checkpoint  # noqa: E402
from tests.models.families import CHECKPOINTS  # noqa: E402
from tests.models.miniature import MINIATURE, miniature_checkpoint, miniature_tensors, random_tensors, shapes_of  # noqa: E402

VAE = "first_stage_model."
PIXELS = torch.linspace(-1, 1, 3 * 16 * 16).reshape(1, 3, 16, 16)


def other_vae():
    """The tensors of another VAE by their bare names."""
    return {name.removeprefix(VAE): one for name, one in miniature_tensors(seed=1).items() if name.startswith(VAE)}


def bare(folder):
    from safetensors.torch import save_file

    save_file({**other_vae(), "model_ema.decay": torch.ones(1)}, folder / "vae.safetensors")
    return folder / "vae.safetensors"


def pickled(folder):
    torch.save({"state_dict": {**other_vae(), "loss.logvar": torch.zeros(1)}}, folder / "vae.pt")
    return folder / "vae.pt"


def whole(folder):
    return miniature_checkpoint(folder / "whole.safetensors", seed=1)


def diffusers_folder(folder):
    from diffusers import AutoencoderKL
    from diffusers.loaders.single_file_utils import convert_ldm_vae_checkpoint

    vae = AutoencoderKL(
        block_out_channels=MINIATURE.vae.channels, layers_per_block=1,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
    )  # fmt: skip
    vae.load_state_dict(convert_ldm_vae_checkpoint(dict(miniature_tensors(seed=1)), dict(vae.config)))
    vae.save_pretrained(folder / "pipeline" / "vae")
    return folder / "pipeline" / "vae"


def whole_folder(folder):
    return diffusers_folder(folder).parent


def one_file_of_diffusers(folder):
    return diffusers_folder(folder) / "diffusion_pytorch_model.safetensors"


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """The latents by the other VAE, of a checkpoint that has it for its own."""
    path = miniature_checkpoint(tmp_path_factory.mktemp("other") / "other.safetensors", seed=1)
    return load_model(path, torch.float32, torch.device("cpu")).encode_pictures(PIXELS)


@pytest.mark.parametrize("form", [bare, pickled, whole, diffusers_folder, whole_folder, one_file_of_diffusers])
def test_each_form_gives_the_latents_of_the_other_vae(form, model, miniature_file, expected, tmp_path, cpu):
    path = form(tmp_path)
    other = load_model(miniature_file, torch.float32, cpu, path)
    assert all(torch.equal(*pair) for pair in zip(other.encode_pictures(PIXELS), expected, strict=True))
    assert not torch.equal(other.encode_pictures(PIXELS)[0], model.encode_pictures(PIXELS)[0])
    assert other.vae_digest != model.vae_digest  # under which the latents are cached
    assert read_outline(miniature_file, path).modules == read_outline(miniature_file).modules


@pytest.mark.parametrize("family", CHECKPOINTS)
def test_the_other_families_take_one_with_their_own_factor_and_write_it(family, expected, tmp_path, cpu):
    model = load_model(CHECKPOINTS[family](tmp_path / "model.safetensors"), torch.float16, cpu, bare(tmp_path))
    factor = {"sd2": 0.18215, "sdxl": 0.13025}[family]
    latents = model.encode_pictures(PIXELS)[0]
    assert model.vae_dtype != torch.float16 and torch.allclose(latents, expected[0] * factor / 0.18215, atol=1e-5)
    write_checkpoint(model, tmp_path / "again.safetensors")
    again = load_model(tmp_path / "again.safetensors", torch.float16, cpu)
    assert torch.equal(again.encode_pictures(PIXELS)[0], latents)


def test_what_is_no_vae_or_makes_other_latents_is_refused(miniature_file, tmp_path, cpu):
    from safetensors.torch import save_file

    save_file({"lora_unet_x.lora_up.weight": torch.zeros(2, 2)}, tmp_path / "lora.safetensors")
    with pytest.raises(ModelError, match=r"lora\.safetensors is no VAE .* looks like a LoRA .* leave 'vae' empty"):
        load_model(miniature_file, torch.float32, cpu, tmp_path / "lora.safetensors")
    shapes = shapes_of(replace(MINIATURE, vae=replace(MINIATURE.vae, latent_channels=16)))
    save_file(random_tensors({name: shape for name, shape in shapes.items() if name.startswith(VAE)}),
              tmp_path / "wide.safetensors")  # fmt: skip
    for read in (lambda: load_model(miniature_file, torch.float32, cpu, tmp_path / "wide.safetensors"),
                 lambda: read_outline(miniature_file, tmp_path / "wide.safetensors")):  # fmt: skip
        with pytest.raises(ModelError, match="VAE makes latents of 16 channels, the U-Net takes 4"):
            read()
