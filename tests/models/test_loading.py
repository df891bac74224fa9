import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import ModelError  # noqa: E402
from lib_trainer.models.loading import load_model  # noqa: E402
from tests.models.miniature import miniature_tensors  # noqa: E402

FIRST = "model.diffusion_model.input_blocks.0.0.weight"
PROJECTION = "model.diffusion_model.middle_block.1.proj_in.weight"
# One or two names that only this kind of file has, as its publishers' files have them.
FOREIGN = {
    "a Stable Diffusion 2 checkpoint": {"cond_stage_model.model.transformer.resblocks.0.ln_1.weight": (1024,)},
    "a Stable Diffusion XL checkpoint": {"conditioner.embedders.0.transformer.final_layer_norm.bias": (768,)},
    "a Stable Diffusion 3 checkpoint": {"model.diffusion_model.joint_blocks.0.x_block.attn.qkv.weight": (9, 3)},
    "a Flux checkpoint": {"double_blocks.0.img_attn.qkv.weight": (9, 3)},
    "a LoRA or another network file": {"lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight": (8, 320, 1, 1)},
    "a ControlNet": {"control_model.zero_convs.0.0.weight": (320, 320, 1, 1)},
    "a VAE alone": {"decoder.conv_in.weight": (512, 4, 3, 3), "encoder.conv_in.weight": (128, 3, 3, 3)},
    "a textual-inversion embedding": {"emb_params": (4, 768)},
    "an upscaler": {"model.1.sub.0.RDB1.conv1.0.weight": (32, 64, 3, 3)},
    "a text encoder alone": {"text_model.encoder.layers.0.layer_norm1.bias": (768,)},
    "the U-Net alone out of a diffusers folder": {"down_blocks.0.resnets.0.norm1.weight": (320,)},
    "a Stable Diffusion checkpoint without its text encoder and its VAE": {
        FIRST: (320, 4, 3, 3),
        PROJECTION: (1280, 1280, 1, 1),
    },
    r"an unknown kind of model \(its tensors are named alpha, beta, gamma, ...\)": {
        "alpha": (1,),
        "beta": (1, 2, 3),
        "gamma": (2,),
    },
}


def save(path, shapes):
    from safetensors.torch import save_file

    save_file({name: torch.zeros(shape) for name, shape in shapes.items()}, path)
    return path


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_foreign_file_is_refused_by_the_name_of_its_kind(tmp_path, cpu, kind):
    file = save(tmp_path / "model.safetensors", FOREIGN[kind])
    with pytest.raises(ModelError, match=rf"model\.safetensors looks like {kind}.*Supported are Stable Diffusion 1"):
        load_model(file, torch.float32, cpu)


@pytest.mark.parametrize(("channels", "kind"), [(8, "an instruct-pix2pix checkpoint"), (5, "special")])
def test_a_checkpoint_of_more_input_channels_is_refused(tmp_path, cpu, channels, kind):
    tensors = {name: tuple(tensor.shape) for name, tensor in miniature_tensors().items()}
    file = save(tmp_path / "model.safetensors", {**tensors, FIRST: (32, channels, 3, 3)})
    with pytest.raises(ModelError, match=rf"{kind}.*takes {channels} channels instead of 4"):
        load_model(file, torch.float32, cpu)


def test_a_checkpoint_with_linear_projections_is_told_to_be_version_2(tmp_path, cpu):
    tensors = {name: tuple(tensor.shape) for name, tensor in miniature_tensors().items()}
    file = save(tmp_path / "model.safetensors", {**tensors, PROJECTION: (64, 64)})
    with pytest.raises(ModelError, match="a Stable Diffusion 2 checkpoint"):
        load_model(file, torch.float32, cpu)


def test_a_hypernetwork_is_refused(tmp_path, cpu):
    torch.save({768: [{"linear.0.weight": torch.zeros(2, 2)}], "name": "style"}, tmp_path / "style.pt")
    with pytest.raises(ModelError, match="looks like a hypernetwork"):
        load_model(tmp_path / "style.pt", torch.float32, cpu)


def test_an_embedding_of_the_webui_is_refused(tmp_path, cpu):
    torch.save({"string_to_param": {"*": torch.zeros(2, 768)}, "name": "cat"}, tmp_path / "cat.pt")
    with pytest.raises(ModelError, match="looks like a textual-inversion embedding"):
        load_model(tmp_path / "cat.pt", torch.float32, cpu)


def test_a_path_that_does_not_exist_is_named(tmp_path, cpu):
    with pytest.raises(ModelError, match=r"nothing\.safetensors does not exist"):
        load_model(tmp_path / "nothing.safetensors", torch.float32, cpu)
