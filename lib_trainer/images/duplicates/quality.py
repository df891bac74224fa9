"""How good a picture is among its copies: how much of its size is detail, how hard it was compressed, a bar of text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from lib_trainer.images.buckets import Size
from lib_trainer.images.duplicates.fingerprints import BACKGROUND
from lib_trainer.images.pixels import PictureError, open_picture

Values = npt.NDArray[np.float64]

LOSSLESS = 100
# The first table of the JPEG standard (ITU T.81, annex K.1) at quality 50, as libjpeg scales it: its mean.
MEAN_AT_50 = 57.6
PATCH = 512  # pixels: the square from the middle of which the detail is taken
LEAST_PATCH = 32
RINGS = 16  # of frequencies, up to the highest that the pixels hold
# Of a sharp photograph the highest frequencies have about a tenth of the power of the middle ones, of an enlarged
# one a hundredth or less; measured on photographs and copies of them, see benchmarks/near_duplicates.py.
SHARP_FALL = -1.0  # powers of ten
FALL_WEIGHT = 0.8
ROUNDING = 2 / 12  # of a level squared: rounding to whole levels leaves 1/12 in every frequency
LEAST_POWER = 1e-3
BAR_LOOKED_AT = 256  # rows
LARGEST_BAR = 0.3
PLAIN_LEVELS = 8  # of brightness: so near to the bar's colour counts as plain
PLAIN_EDGE, PLAIN_ROW, DROP = 0.9, 0.4, 0.3  # shares of a row: at the very edge, behind text, and where the bar ends
DROP_ROWS = 3


@dataclass(frozen=True)
class Quality:
    """How good a picture is.

    `detail` is the share of the pixels that tell something, less where it was enlarged or blurred; `compression` JPEG's
    quality from 1 to 99, or 100 where nothing was lost; `bar` the share of the height that a bar of text takes.
    """

    detail: float
    compression: int
    bar: float


def quality_of(path: Path) -> Quality | None:
    """The quality of a picture; None where it can't be read any more."""
    try:
        grey = open_picture(path, BACKGROUND).convert("L")
    except PictureError:
        return None
    pixels: Values = np.asarray(grey, dtype=np.float64)
    return Quality(detail(pixels), compression(path), bar_of_text(grey))


def compression(path: Path) -> int:
    """The quality that a JPEG was written with, by its table for brightness; 100 for all else."""
    try:
        with Image.open(path) as image:
            tables = getattr(image, "quantization", None)
            if not tables or image.format != "JPEG":
                return LOSSLESS
            scale = float(np.mean(tables[min(tables)])) / MEAN_AT_50
    except OSError:
        return LOSSLESS
    # libjpeg: the table is scaled by 50 / quality below 50, and by 2 - quality / 50 above.
    quality = 50 / scale if scale > 1 else 100 - 50 * scale
    return int(np.clip(round(quality), 1, LOSSLESS - 1))


def detail(grey: Values) -> float:
    """How much of the pixels [height, width] is detail, 0 to 1: by how far the power of the frequencies falls."""
    side = min(PATCH, *grey.shape)
    if side < LEAST_PATCH:
        return 1.0
    top, left = (grey.shape[0] - side) // 2, (grey.shape[1] - side) // 2
    window = np.hanning(side)[:, None] * np.hanning(side)[None, :]
    patch = grey[top : top + side, left : left + side]
    power = np.abs(np.fft.rfft2((patch - patch.mean()) * window)) ** 2 / (window**2).sum()
    ring = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :])
    rings = np.minimum((ring * 2 * RINGS).astype(int), RINGS).ravel()
    mean = np.bincount(rings, power.ravel(), RINGS + 1) / np.maximum(np.bincount(rings, minlength=RINGS + 1), 1)
    bands = mean[RINGS // 4 : RINGS // 2], mean[RINGS * 3 // 4 : RINGS]
    middle, high = (max(float(band.mean()) - ROUNDING, LEAST_POWER) for band in bands)
    fall = float(np.log10(high / middle))
    return min(1.0, 10 ** (FALL_WEIGHT * (fall - SHARP_FALL)))


def bar_of_text(grey: Image.Image) -> float:
    """The share of the height that a plain bar above or below takes, with whatever is written on it; 0 for none."""
    side = BAR_LOOKED_AT
    rows: Values = np.asarray(grey.resize((side, side), Image.Resampling.BOX), dtype=np.float64)
    return max(_bar_above(rows), _bar_above(rows[::-1]))


def _bar_above(rows: Values) -> float:
    colour = np.median(rows[:2])
    plain = (np.abs(rows - colour) < PLAIN_LEVELS).mean(axis=1)
    if plain[0] < PLAIN_EDGE:
        return 0.0
    last = int(len(rows) * LARGEST_BAR)
    for row in range(DROP_ROWS, last):
        if plain[row] < PLAIN_ROW:
            return 0.0
        # Plain up to here, and clearly less so from a few rows further on: the edge of a bar, not a fading sky.
        if plain[row - 1] > PLAIN_EDGE and plain[row + DROP_ROWS : row + 3 * DROP_ROWS].max() < plain[row - 1] - DROP:
            return (row + 1) / len(rows)
    return 0.0


def effective_pixels(size: Size, quality: Quality) -> float:
    """The pixels that the picture would have if it were as small as its detail allows, or about that."""
    return size[0] * size[1] * quality.detail
