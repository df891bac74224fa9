"""Marks that stand at the same place in many pictures, such as the name of an agency: edges that never move.

The mean of the pictures' slopes, as T. Dekel and others find watermarks ("On the Effectiveness of Visible Watermarks",
2017): the slopes of things cancel out, those of a mark stay. Slopes are capped, so that no strong edge decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 128  # pixels of the small square copy that is compared
CAP = 16.0  # grey levels a pixel
STEADY = 0.3  # of the cap: what the mean slope of a mark has at least
CHANCE = 2.0  # divided by the root of the number of pictures: what chance may leave in the mean of few, likewise
BLOCK = 8
IN_BLOCK = 0.2  # share of steady pixels in a block with a mark
FEWEST_BLOCKS = 2
LARGEST = 0.2  # of the picture; more is the same scene, not a mark
FEWEST_PICTURES = 8
FEWEST_BEARING, SHARE_BEARING = 4, 0.2
ALIKE = 0.5  # correlation with the mark in a picture that bears it

Small = NDArray[np.uint8]


@dataclass(frozen=True)
class Mark:
    """Where a mark stands, as left, top, right, bottom from 0 to 1, and the numbers of the pictures that bear it."""

    place: tuple[float, float, float, float]
    pictures: list[int]


def small_copy(image: Image.Image) -> Small:
    """What `find_mark` compares of a picture."""
    return np.asarray(image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX))


def find_mark(copies: Sequence[Small]) -> Mark | None:
    """The mark that many of the pictures bear, if there is one."""
    if len(copies) < FEWEST_PICTURES:
        return None
    mean = np.zeros((2, SIDE, SIDE), dtype=np.float64)
    for copy in copies:
        mean += _slopes(copy)
    mean /= len(copies)
    steady = np.abs(mean).max(axis=0) > CAP * max(STEADY, CHANCE / len(copies) ** 0.5)
    blocks = steady.reshape(SIDE // BLOCK, BLOCK, SIDE // BLOCK, BLOCK).mean(axis=(1, 3)) > IN_BLOCK
    if not FEWEST_BLOCKS <= blocks.sum() <= LARGEST * blocks.size:
        return None
    where = steady & np.kron(blocks, np.ones((BLOCK, BLOCK), dtype=bool))
    template = mean[:, where].ravel()
    bearing = [number for number, copy in enumerate(copies) if _alike(_slopes(copy)[:, where].ravel(), template)]
    if len(bearing) < max(FEWEST_BEARING, SHARE_BEARING * len(copies)):
        return None
    rows, columns = np.nonzero(blocks)
    count = SIDE // BLOCK
    place = (columns.min() / count, rows.min() / count, (columns.max() + 1) / count, (rows.max() + 1) / count)
    return Mark((float(place[0]), float(place[1]), float(place[2]), float(place[3])), bearing)


def _slopes(copy: Small) -> NDArray[np.float64]:
    plane = copy.astype(np.float64)
    across = np.diff(plane, axis=1, prepend=plane[:, :1])
    down = np.diff(plane, axis=0, prepend=plane[:1])
    return np.clip(np.stack([across, down]), -CAP, CAP)


def _alike(slopes: NDArray[np.float64], template: NDArray[np.float64]) -> bool:
    size = float(np.linalg.norm(slopes) * np.linalg.norm(template))
    return size > 0 and float(slopes @ template) / size >= ALIKE
