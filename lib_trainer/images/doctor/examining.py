"""All that is measured of one picture, as the training would see it: scaled to its resolution, never enlarged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from lib_trainer.images.doctor.backgrounds import Rim, rim_of
from lib_trainer.images.doctor.borders import borders
from lib_trainer.images.doctor.lettering import lettering
from lib_trainer.images.doctor.noise import noise
from lib_trainer.images.doctor.overlays import Small, small_copy
from lib_trainer.images.doctor.sharpness import sharpness
from lib_trainer.images.pixels import see

WIDEST = 4  # a picture is decoded so that one of this shape still has the resolution


@dataclass(frozen=True)
class Examined:
    """What one picture shows.

    `turned` is whether its file asks viewers to turn it; `clear` the share of its pixels that are not opaque;
    `sharpness` is None where there is nothing that could be sharp; `borders` are shares at left, top, right, bottom.
    """

    size: tuple[int, int]
    turned: bool
    clear: float
    sharpness: float | None
    noise: float
    lettering: float
    borders: tuple[float, float, float, float]
    rim: Rim
    small: Small


def examine(path: Path, background: str, resolution: int) -> Examined:
    """Look at one picture closely.

    Raises:
        PictureError: the file is empty, damaged, truncated, too large or of an unknown kind.
        ConfigError: `background` is not a colour.
    """
    seen = see(path, background, WIDEST * resolution)
    image = _at(seen.image, resolution)
    plane = np.asarray(image.convert("L"), dtype=np.float32)
    grain = noise(plane)
    clear = 0.0 if seen.opacity is None else float((np.asarray(seen.opacity) < 255).mean())
    return Examined(
        size=seen.size,
        turned=seen.is_turned,
        clear=clear,
        sharpness=sharpness(plane, grain),
        noise=grain,
        lettering=lettering(plane),
        borders=borders(plane),
        rim=rim_of(image),
        small=small_copy(image),
    )


def _at(image: Image.Image, resolution: int) -> Image.Image:
    """The picture with at most the area of the resolution squared."""
    scale = resolution / (image.width * image.height) ** 0.5
    if scale >= 1:
        return image
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, Image.Resampling.LANCZOS)
