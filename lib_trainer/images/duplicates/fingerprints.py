"""What a picture is recognised by: its brightness on a small square, and a few low frequencies of parts of it.

The frequencies are those of the discrete cosine transform, as in the well-known perceptual hash
(https://www.hackerfactor.com/blog/index.php?/archives/432-Looks-Like-It.html); kept as numbers instead of bits they
tell more apart, and mirroring a picture is a change of signs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from lib_trainer.images.buckets import Size
from lib_trainer.images.pixels import open_small

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]

SIDE = 64  # of the small square, in its pixels
COLOUR_SIDE = 16  # of the same square's colours
FREQUENCIES = 9  # across and down; the very first is the mean, which brightness changes
READ_AT = 192  # pixels: a JPEG is decoded at that size or a little above
BACKGROUND = "white"


class Window(NamedTuple):
    """A part of a picture, in parts of its sides."""

    left: float
    top: float
    right: float
    bottom: float


WHOLE = Window(0, 0, 1, 1)


@dataclass(frozen=True)
class Looks:
    """How pictures look, small: brightness [n, SIDE, SIDE], and how blue and red [n, 2, COLOUR_SIDE, COLOUR_SIDE].

    The colours are YCbCr's: 128 is neither (ITU-R BT.601).
    """

    squares: Bytes
    colours: Bytes

    @classmethod
    def of(cls, each: Sequence[Look]) -> Looks:
        """Those of several pictures."""
        return cls(np.stack([look.square for look in each]), np.stack([look.colours for look in each]))

    def some(self, numbers: npt.NDArray[np.int64], is_mirrored: bool = False) -> Looks:
        """Those of some of the pictures, or of their mirror images."""
        step = -1 if is_mirrored else 1
        return Looks(self.squares[numbers][..., ::step], self.colours[numbers][..., ::step])


class Look(NamedTuple):
    """How one picture looks: as `Looks`, without n."""

    square: Bytes
    colours: Bytes


def small_look(path: Path) -> tuple[Look, Size]:
    """How a picture looks, squeezed into a small square, and the picture's size.

    Raises:
        PictureError: the picture can't be used.
    """
    small, size = open_small(path, BACKGROUND, READ_AT)
    brightness, *colours = small.convert("YCbCr").split()
    square = np.asarray(brightness.resize((SIDE, SIDE), Image.Resampling.BOX), dtype=np.uint8)
    side = (COLOUR_SIDE, COLOUR_SIDE)
    tints = [np.asarray(each.resize(side, Image.Resampling.BOX), dtype=np.uint8) for each in colours]
    return Look(square, np.stack(tints)), size


def fingerprints(squares: Floats, window: Window) -> Floats:
    """Unit vectors [n, FREQUENCIES² - 1] of one window of each square [n, SIDE, SIDE]; zeros where all is one grey."""
    down, across = _cosines(window.top, window.bottom), _cosines(window.left, window.right)
    found = np.matmul(np.matmul(down, squares), across.T).reshape(len(squares), -1)[:, 1:]
    found = found * _whitening()
    length = np.linalg.norm(found, axis=1, keepdims=True)
    return np.where(length > 1e-3, found / np.maximum(length, 1e-3), 0).astype(np.float32)


def mirrored(prints: Floats) -> Floats:
    """The fingerprints of the same pictures mirrored left to right: odd waves across change their sign."""
    return prints * _mirror_signs()


def _mirror_signs() -> Floats:
    across = np.tile(np.arange(FREQUENCIES), FREQUENCIES)[1:]
    return np.where(across % 2, -1, 1).astype(np.float32)


def _whitening() -> Floats:
    """Photographs hold ever less of ever higher frequencies, about in inverse proportion; this evens it out."""
    down, across = np.divmod(np.arange(1, FREQUENCIES**2), FREQUENCIES)
    return np.asarray(np.hypot(down, across), dtype=np.float32)


def _cosines(start: float, end: float) -> Floats:
    """What turns SIDE values into the low cosine frequencies [FREQUENCIES, SIDE] of their part from start to end."""
    edges = np.arange(SIDE + 1) / SIDE
    inside = np.clip((np.minimum(edges[1:], end) - np.maximum(edges[:-1], start)) * SIDE, 0, 1)
    middles = (np.clip((edges[1:] + edges[:-1]) / 2, start, end) - start) / (end - start)
    waves = np.cos(np.pi * np.arange(FREQUENCIES)[:, None] * middles[None, :])
    weights = inside / inside.sum()
    waves = waves * weights
    waves[1:] -= waves[1:].sum(axis=1, keepdims=True) * weights  # a wave of its own has no mean
    return np.asarray(waves, dtype=np.float32)
