"""The sizes of a Stable Diffusion 1 model, of any width and depth, read from its tensors' shapes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from lib_trainer.core.errors import ModelError
from lib_trainer.models.model import Shapes

UNET, VAE, TEXT = "model.diffusion_model.", "first_stage_model.", "cond_stage_model.transformer."
TOKENS, POSITIONS = 49408, 77


@dataclass(frozen=True)
class UnetSizes:
    """The U-Net, level by level from the full resolution down."""

    channels: tuple[int, ...]
    attention: tuple[bool, ...]
    layers: int
    text_width: int
    latent_channels: int


@dataclass(frozen=True)
class VaeSizes:
    """The autoencoder, level by level from the full resolution down; each level but the last halves the sides."""

    channels: tuple[int, ...]
    layers: int
    latent_channels: int


@dataclass(frozen=True)
class TextSizes:
    """The CLIP text encoder."""

    width: int
    inner_width: int
    layers: int
    tokens: int
    positions: int


@dataclass(frozen=True)
class Layout:
    """All sizes that tensors' shapes tell; head counts are not among them."""

    unet: UnetSizes
    vae: VaeSizes
    text: TextSizes


def read_layout(path: Path, shapes: Shapes) -> Layout:
    """The sizes of a checkpoint in the original layout.

    Raises:
        ModelError: a tensor that gives a size is missing, or the levels don't follow the family's plan.
    """
    try:
        return Layout(_unet(path, shapes), _vae(shapes), _text(shapes))
    except KeyError as error:
        raise ModelError(
            f"{path} lacks the tensor {error.args[0]!r}, without which it is no whole Stable Diffusion 1 checkpoint. "
            "Download it again, or use a complete checkpoint."
        ) from error


def text_prefix(shapes: Shapes) -> str:
    """What stands before a text encoder's tensor name; the oldest files leave `text_model.` out."""
    return f"{TEXT}text_model." if f"{TEXT}text_model.final_layer_norm.weight" in shapes else TEXT


def _unet(path: Path, shapes: Shapes) -> UnetSizes:
    levels: list[list[tuple[int, bool]]] = [[]]
    for block in range(1, count(shapes, rf"{UNET}input_blocks\.(\d+)\.")):
        name = f"{UNET}input_blocks.{block}"
        if f"{name}.0.op.weight" in shapes:
            levels.append([])
        else:
            has_attention = f"{name}.1.norm.weight" in shapes
            levels[-1].append((shapes[f"{name}.0.out_layers.3.weight"][0], has_attention))
    if any(len(set(level)) != 1 or len(level) != len(levels[0]) for level in levels):
        raise ModelError(
            f"The U-Net in {path} has blocks of {levels} (channels, attention), which Stable Diffusion 1 models don't "
            "have: within a level all must be equal, and every level must have as many. Use another checkpoint."
        )
    latent_channels = shapes[f"{UNET}input_blocks.0.0.weight"][1]
    text_width = shapes[f"{UNET}middle_block.1.transformer_blocks.0.attn2.to_k.weight"][1]
    return UnetSizes(
        channels=tuple(level[0][0] for level in levels),
        attention=tuple(level[0][1] for level in levels),
        layers=len(levels[0]),
        text_width=text_width,
        latent_channels=latent_channels,
    )


def _vae(shapes: Shapes) -> VaeSizes:
    levels = count(shapes, rf"{VAE}encoder\.down\.(\d+)\.")
    return VaeSizes(
        channels=tuple(shapes[f"{VAE}encoder.down.{level}.block.0.conv2.weight"][0] for level in range(levels)),
        layers=count(shapes, rf"{VAE}encoder\.down\.0\.block\.(\d+)\."),
        latent_channels=shapes[f"{VAE}post_quant_conv.weight"][1],
    )


def _text(shapes: Shapes) -> TextSizes:
    prefix = text_prefix(shapes)
    tokens, width = shapes[f"{prefix}embeddings.token_embedding.weight"]
    return TextSizes(
        width=width,
        inner_width=shapes[f"{prefix}encoder.layers.0.mlp.fc1.weight"][0],
        layers=count(shapes, rf"{re.escape(prefix)}encoder\.layers\.(\d+)\."),
        tokens=tokens,
        positions=shapes[f"{prefix}embeddings.position_embedding.weight"][0],
    )


def count(shapes: Shapes, pattern: str) -> int:
    """One more than the highest number that the pattern's group has among the names; 0 if none matches."""
    numbers = (int(match[1]) for name in shapes if (match := re.match(pattern, name)))
    return max(numbers, default=-1) + 1
