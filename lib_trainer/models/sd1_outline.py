"""The outline of a Stable Diffusion model of any size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from lib_trainer.models.model import Shapes
from lib_trainer.models.outline import Names, Outline
from lib_trainer.models.sd1_keys import KeyMap
from lib_trainer.models.sd1_layout import Layout, UnetSizes
from lib_trainer.models.sd1_settings import Settings

PARTS = ("unet", "text_encoder")
WORDS = "embeddings.token_embedding"


@dataclass(frozen=True)
class Read:
    """What a family has read of a checkpoint: its shapes by CLIP's names for text encoders, and what follows."""

    family: str
    shapes: Shapes
    layout: Layout
    keys: KeyMap
    names: Names
    settings: Settings


def outline_of(path: Path, read: Read) -> Outline:
    """The outline of a checkpoint."""
    modules: dict[str, dict[str, tuple[int, ...]]] = {part: {} for part in PARTS}
    biased: set[str] = set()
    values = 0
    for name, shape in read.shapes.items():
        part, _, ours = (read.keys.ours(name) or "").partition(".")
        if part in modules:
            values += math.prod(shape)
            if ours.endswith(".weight"):
                modules[part][ours.removesuffix(".weight")] = shape
            elif ours.endswith(".bias"):
                biased.add(f"{part}.{ours.removesuffix('.bias')}")
    words = (shape for name, shape in modules["text_encoder"].items() if name.endswith(WORDS))
    return Outline(
        family=read.family,
        prediction=read.settings.prediction,
        prediction_told=read.settings.prediction_told,
        modules=modules,
        biased=frozenset(biased),
        values=values,
        looked_up=sum(math.prod(shape) for shape in words),
        stored_bytes=_stored_bytes(path, read.shapes),
        width=_width(read.layout.unet),
        pixels_per_latent=2 ** (len(read.layout.vae.channels) - 1),
        names=read.names,
    )


def _stored_bytes(path: Path, shapes: Shapes) -> int:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files) // max(1, sum(math.prod(shape) for shape in shapes.values()))


def _width(unet: UnetSizes) -> float:
    """A level has its blocks once on the way down and once more, and one, on the way up.

    A block is a residual one and a transformer; of a deeper transformer each block counts as half of that.
    """
    blocks = 2 * unet.layers + 1
    return sum(
        blocks * channels * 0.25**level * (1 + unet.depth(level)) / 2 for level, channels in enumerate(unet.channels)
    )
