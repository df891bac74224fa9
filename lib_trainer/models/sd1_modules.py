"""Builds the modules of a Stable Diffusion model without memory behind them, and fills them from a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import torch

from lib_trainer.core.errors import ModelError
from lib_trainer.models.sd1_blocks import use_plain_text_blocks, use_plain_unet_blocks
from lib_trainer.models.sd1_keys import KeyMap, original_shape
from lib_trainer.models.sd1_layout import TextSizes, UnetSizes, VaeSizes
from lib_trainer.models.stored_embedding import StoredEmbedding

if TYPE_CHECKING:
    from lib_trainer.models.sd1_settings import Settings
    from lib_trainer.models.tensor_files import TensorFile

SHOWN = 3
SIZE_WIDTH = 256  # each of the numbers that SDXL is told of a picture's sizes becomes so many values
_ADDED: dict[str, Any] = {"addition_embed_type": "text_time", "addition_time_embed_dim": SIZE_WIDTH}


def build_unet(sizes: UnetSizes, settings: Settings) -> torch.nn.Module:
    """The U-Net on the meta device."""
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    down = ["CrossAttnDownBlock2D" if has else "DownBlock2D" for has in sizes.attention]
    up = ["CrossAttnUpBlock2D" if has else "UpBlock2D" for has in reversed(sizes.attention)]
    with torch.device("meta"):
        unet = UNet2DConditionModel(
            in_channels=sizes.input_channels,
            out_channels=sizes.latent_channels,
            block_out_channels=sizes.channels,
            layers_per_block=sizes.layers,
            down_block_types=tuple(down),
            up_block_types=tuple(up),
            attention_head_dim=settings.unet_heads,  # diffusers' name for the number of heads
            cross_attention_dim=sizes.text_width,
            transformer_layers_per_block=sizes.depths or 1,
            use_linear_projection=sizes.projects_tokens,
            **(_ADDED | {"projection_class_embeddings_input_dim": sizes.added_width} if sizes.added_width else {}),
        )
    return use_plain_unet_blocks(unet)


def build_vae(sizes: VaeSizes) -> torch.nn.Module:
    """The autoencoder on the meta device."""
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

    levels = len(sizes.channels)
    with torch.device("meta"):
        vae = AutoencoderKL(
            latent_channels=sizes.latent_channels,
            block_out_channels=sizes.channels,
            layers_per_block=sizes.layers,
            down_block_types=("DownEncoderBlock2D",) * levels,
            up_block_types=("UpDecoderBlock2D",) * levels,
        )
    return cast("torch.nn.Module", vae)


def build_text_encoder(sizes: TextSizes, settings: Settings) -> torch.nn.Module:
    """The CLIP text encoder on the meta device, its position numbers filled in."""
    from transformers.models.clip.configuration_clip import CLIPTextConfig
    from transformers.models.clip.modeling_clip import CLIPTextModel

    config = CLIPTextConfig(
        vocab_size=sizes.tokens,
        hidden_size=sizes.width,
        intermediate_size=sizes.inner_width,
        num_hidden_layers=sizes.layers,
        num_attention_heads=settings.text_heads,
        max_position_embeddings=sizes.positions,
        hidden_act=settings.text_activation,
        attn_implementation="sdpa",
    )
    with torch.device("meta"):
        text_encoder = CLIPTextModel(config)
        text_encoder.embeddings.token_embedding = StoredEmbedding(sizes.tokens, sizes.width)
    text_encoder.embeddings.position_ids = torch.arange(sizes.positions).expand((1, -1))
    return use_plain_text_blocks(cast("torch.nn.Module", text_encoder))


def fill(
    module: torch.nn.Module, part: str, source: TensorFile, keys: KeyMap, dtype: torch.dtype, device: torch.device
) -> torch.nn.Module:
    """Give a part on the meta device its weights, tensor by tensor; it comes back frozen and in evaluation mode.

    Raises:
        ModelError: as `check`, and where the source can't be read any more.
    """
    check(module, part, source, keys)
    names = original_names(module, part, keys)
    kept = _kept_as_stored(module, {ours: source.dtype(original) for ours, original in names.items()}, dtype)
    filled = {}
    for ours, original in names.items():
        # The place first, what is read after it: its memory is then free as a whole, with no holes between weights.
        place = torch.empty(module.get_parameter(ours).shape, device=device, dtype=kept.get(ours, dtype))
        filled[ours] = place.copy_(source.read(original).reshape(place.shape))
    module.load_state_dict(filled, strict=True, assign=True)
    for buffer_name, buffer in module.named_buffers():
        owner, _, name = buffer_name.rpartition(".")
        setattr(module.get_submodule(owner), name, buffer.to(device))
    return module.requires_grad_(False).eval()


def _kept_as_stored(
    module: torch.nn.Module, stored: Mapping[str, torch.dtype], dtype: torch.dtype
) -> dict[str, torch.dtype]:
    """The dtype of each weight whose module converts what is looked up in it."""
    kept = {}
    for name, table in module.named_modules():
        if isinstance(table, StoredEmbedding):
            table.arithmetic = dtype
            kept[f"{name}.weight"] = table.dtype_kept(stored[f"{name}.weight"], dtype)
    return kept


def original_names(module: torch.nn.Module, part: str, keys: KeyMap) -> dict[str, str]:
    """The original name of each tensor of a part, by its name in the part."""
    return {ours: keys.original(f"{part}.{ours}") or "" for ours in module.state_dict()}


def check(module: torch.nn.Module, part: str, source: TensorFile, keys: KeyMap) -> None:
    """Check that a source has all that a part needs, by names and shapes alone.

    Raises:
        ModelError: tensors are missing in the source, or have other shapes than the part needs.
    """
    names, wanted = original_names(module, part, keys), module.state_dict()
    missing = [original for original in names.values() if original not in source.shapes]
    if missing:
        shown = ", ".join(missing[:SHOWN]) + (", ..." if len(missing) > SHOWN else "")
        raise ModelError(
            f"{source.path} lacks {len(missing)} of the {len(names)} tensors that a model of its sizes needs here: "
            f"{shown}. Download it again, or use a complete checkpoint."
        )
    for ours, original in names.items():
        found = source.shapes[original]
        shape = original_shape(original, tuple(wanted[ours].shape))
        if found not in (shape, tuple(wanted[ours].shape)):
            raise ModelError(
                f"{source.path}: the tensor {original} has the shape {list(found)}, but with the sizes of the other "
                f"tensors it must be {list(shape)}. Use another checkpoint."
            )
