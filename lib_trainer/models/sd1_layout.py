"""The sizes of a Stable Diffusion model, of any width and depth, read from its tensors' shapes.

Version 2 and SDXL have the same plan; their OpenCLIP text encoders are to be seen as CLIP's (`open_clip.py`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from lib_trainer.core.errors import ModelError
from lib_trainer.models.model import Shapes

UNET, VAE, TEXT = "model.diffusion_model.", "first_stage_model.", "cond_stage_model.transformer."
TOKENS, POSITIONS = 49408, 77
LINEAR = 2  # sides of a linear layer's weight


@dataclass(frozen=True)
class UnetSizes:
    """The U-Net, level by level from the full resolution down.

    Args:
        depths: blocks of each transformer of a level, those in the middle as those of the last; 1 where there are none.
        latent_channels: of the noisy latents, and of the answer.
        extra_channels: what the U-Net is given beside them: none, or the mask and the masked picture of inpainting.
        added_width: values of what a picture is told apart from its text (SDXL's pooled text and sizes).
        projects_tokens: whether transformers begin and end with linear layers, not with convolutions.
    """

    channels: tuple[int, ...]
    attention: tuple[bool, ...]
    layers: int
    text_width: int
    latent_channels: int
    depths: tuple[int, ...] = ()
    added_width: int = 0
    projects_tokens: bool = False
    extra_channels: int = 0

    @property
    def input_channels(self) -> int:
        """Channels that the U-Net is given."""
        return self.latent_channels + self.extra_channels

    def depth(self, level: int) -> int:
        """Blocks of each transformer of a level."""
        return self.depths[level] if self.depths else 1


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
    projection: int = 0  # width of the pooled state where it is projected


@dataclass(frozen=True)
class Layout:
    """All sizes that tensors' shapes tell; head counts are not among them."""

    unet: UnetSizes
    vae: VaeSizes
    text: TextSizes
    second_text: TextSizes | None = None

    @property
    def texts(self) -> tuple[TextSizes, ...]:
        """All text encoders."""
        return (self.text,) if self.second_text is None else (self.text, self.second_text)


def read_layout(path: Path, shapes: Shapes, text: str = TEXT, second_text: str | None = None) -> Layout:
    """The sizes of a checkpoint in the original layout; `text` stands before the names of its text encoder.

    Raises:
        ModelError: a tensor that gives a size is missing, or the levels don't follow the family's plan.
    """
    try:
        second = None if second_text is None else _text(shapes, second_text)
        return Layout(_unet(path, shapes), _vae(shapes), _text(shapes, text), second)
    except KeyError as error:
        raise ModelError(
            f"{path} lacks the tensor {error.args[0]!r}, without which it is no whole Stable Diffusion checkpoint. "
            "Download it again, or use a complete checkpoint."
        ) from error


def text_prefix(shapes: Shapes, text: str = TEXT) -> str:
    """What stands before a text encoder's tensor name; the oldest files leave `text_model.` out."""
    return f"{text}text_model." if f"{text}text_model.final_layer_norm.weight" in shapes else text


def _unet(path: Path, shapes: Shapes) -> UnetSizes:
    levels: list[list[tuple[int, int]]] = [[]]
    for block in range(1, count(shapes, rf"{UNET}input_blocks\.(\d+)\.")):
        name = f"{UNET}input_blocks.{block}"
        if f"{name}.0.op.weight" in shapes:
            levels.append([])
        else:
            depth = count(shapes, rf"{name}\.1\.transformer_blocks\.(\d+)\.")
            levels[-1].append((shapes[f"{name}.0.out_layers.3.weight"][0], depth))
    if any(len(set(level)) != 1 or len(level) != len(levels[0]) for level in levels):
        raise ModelError(
            f"The U-Net in {path} has blocks of {levels} (channels, transformer blocks), which Stable Diffusion models "
            "don't have: within a level all must be equal, and every level must have as many. Use another checkpoint."
        )
    latent_channels = shapes[f"{UNET}out.2.weight"][0]
    text_width = shapes[f"{UNET}middle_block.1.transformer_blocks.0.attn2.to_k.weight"][1]
    depths = tuple(max(level[0][1], 1) for level in levels)
    return UnetSizes(
        channels=tuple(level[0][0] for level in levels),
        attention=tuple(level[0][1] > 0 for level in levels),
        layers=len(levels[0]),
        text_width=text_width,
        latent_channels=latent_channels,
        depths=depths if max(depths) > 1 else (),
        added_width=shapes.get(f"{UNET}label_emb.0.0.weight", (0, 0))[1],
        projects_tokens=len(shapes[f"{UNET}middle_block.1.proj_in.weight"]) == LINEAR,
        extra_channels=shapes[f"{UNET}input_blocks.0.0.weight"][1] - latent_channels,
    )


def _vae(shapes: Shapes) -> VaeSizes:
    levels = count(shapes, rf"{VAE}encoder\.down\.(\d+)\.")
    return VaeSizes(
        channels=tuple(shapes[f"{VAE}encoder.down.{level}.block.0.conv2.weight"][0] for level in range(levels)),
        layers=count(shapes, rf"{VAE}encoder\.down\.0\.block\.(\d+)\."),
        latent_channels=shapes[f"{VAE}post_quant_conv.weight"][1],
    )


def _text(shapes: Shapes, text: str) -> TextSizes:
    prefix = text_prefix(shapes, text)
    tokens, width = shapes[f"{prefix}embeddings.token_embedding.weight"]
    return TextSizes(
        width=width,
        inner_width=shapes[f"{prefix}encoder.layers.0.mlp.fc1.weight"][0],
        layers=count(shapes, rf"{re.escape(prefix)}encoder\.layers\.(\d+)\."),
        tokens=tokens,
        positions=shapes[f"{prefix}embeddings.position_embedding.weight"][0],
        projection=shapes.get(f"{text}text_projection.weight", (0,))[0],
    )


def count(shapes: Shapes, pattern: str) -> int:
    """One more than the highest number that the pattern's group has among the names; 0 if none matches."""
    numbers = (int(match[1]) for name in shapes if (match := re.match(pattern, name)))
    return max(numbers, default=-1) + 1
