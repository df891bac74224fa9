"""The outline of a Stable Diffusion 1 model of any size."""

from __future__ import annotations

import math
from pathlib import Path

from lib_trainer.models.model import Shapes
from lib_trainer.models.outline import Outline
from lib_trainer.models.sd1_keys import KeyMap
from lib_trainer.models.sd1_layout import UnetSizes, read_layout, text_prefix
from lib_trainer.models.sd1_names import NETWORK_PREFIXES, Sd1Names
from lib_trainer.models.sd1_settings import read_settings

WORDS = "embeddings.token_embedding"


def outline_sd1(path: Path, shapes: Shapes) -> Outline:
    """The outline of a checkpoint with these shapes (original names).

    Raises:
        ModelError: a tensor that gives a size is missing, or the configuration beside the model can't be used.
    """
    layout = read_layout(path, shapes)
    keys = KeyMap(layout, text_prefix(shapes))
    modules: dict[str, dict[str, tuple[int, ...]]] = {part: {} for part in NETWORK_PREFIXES}
    biased: set[str] = set()
    values = 0
    for name, shape in shapes.items():
        part, _, ours = (keys.ours(name) or "").partition(".")
        if part in modules:
            values += math.prod(shape)
            if ours.endswith(".weight"):
                modules[part][ours.removesuffix(".weight")] = shape
            elif ours.endswith(".bias"):
                biased.add(f"{part}.{ours.removesuffix('.bias')}")
    if path.is_dir():
        from lib_trainer.models.sd1_folder import read_folder_settings

        settings = read_folder_settings(path, layout)
    else:
        settings = read_settings(path, layout)
    return Outline(
        family="sd1",
        prediction=settings.prediction,
        modules=modules,
        biased=frozenset(biased),
        values=values,
        looked_up=math.prod(modules["text_encoder"].get(WORDS, (0,))),
        stored_bytes=_stored_bytes(path, shapes),
        width=_width(layout.unet),
        pixels_per_latent=2 ** (len(layout.vae.channels) - 1),
        names=Sd1Names(layout, keys),
    )


def _stored_bytes(path: Path, shapes: Shapes) -> int:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files) // max(1, sum(math.prod(shape) for shape in shapes.values()))


def _width(unet: UnetSizes) -> float:
    """A level has its blocks once on the way down and once more, and one, on the way up."""
    blocks = 2 * unet.layers + 1
    return sum(blocks * channels * 0.25**level for level, channels in enumerate(unet.channels))
