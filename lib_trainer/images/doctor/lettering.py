"""Lines of letters in a picture: many upright strokes side by side, with calm above and below.

What is looked for is as high as LINE at some of the scales; strokes are where brightness jumps along a row.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lib_trainer.images.doctor.tiles import Floats

SCALES = (1.0, 0.7, 0.5, 0.35, 0.25)
LINE, LENGTH = 12, 60  # pixels
PARTS = 3  # of the length; each must have strokes
MARGIN = 3  # lines above and below that must be calm
JUMP = 40.0  # grey levels over two pixels
FEWEST_IN_PART = 1.2  # strokes' sides per row
CALM = 0.25  # of the strokes inside, how many may go on in the margin


def lettering(plane: Floats) -> float:
    """Strokes in a row of the likeliest line; photos without letters have up to 6, lines of letters 6 to 16.

    `plane` is brightness in grey levels [height, width].
    """
    image = Image.fromarray(np.clip(plane, 0, 255).astype(np.uint8))
    found = 0.0
    for scale in SCALES:
        wide, high = round(image.width * scale), round(image.height * scale)
        if wide > LENGTH + 8 and high > LINE + 4 * MARGIN:
            small = image.resize((wide, high), Image.Resampling.LANCZOS)
            found = max(found, _strokes(np.asarray(small, dtype=np.float32)))
    return found


def _strokes(plane: Floats) -> float:
    jumps = plane[:, 2:] - plane[:, :-2]
    rising, falling = _begins(jumps > JUMP), _begins(jumps < -JUMP)
    sides = rising + falling
    each = np.minimum(_sums(rising, LINE, LENGTH), _sums(falling, LINE, LENGTH)) / LINE
    part = LENGTH // PARTS
    parts = _sums(np.minimum(sides, 1), LINE, part) / LINE
    count = each.shape[1]
    poorest = np.min([parts[:, part * number : part * number + count] for number in range(PARTS)], axis=0)
    inside = _sums(sides, LINE, LENGTH) / LINE
    outside = _sums(sides, MARGIN, LENGTH) / MARGIN
    # A line at row r has its margins at rows r - 4 to r - 2 and r + 13 to r + 15: the rows beside it hold soft edges.
    rows = np.arange(MARGIN + 1, len(each) - MARGIN - 1)
    beside = np.maximum(outside[rows - MARGIN - 1], outside[rows + LINE + 1])
    is_line = (beside < CALM * (inside[rows] + 1e-6)) & (poorest[rows] >= FEWEST_IN_PART)
    return float(np.where(is_line, each[rows], 0).max(initial=0.0))


def _begins(where: NDArray[np.bool_]) -> Floats:
    """1 where a run along a row begins."""
    begins: Floats = (where[:, 1:] & ~where[:, :-1]).astype(np.float32)
    return begins


def _sums(plane: Floats, high: int, wide: int) -> Floats:
    """The sum in each window of that size, by its upper left corner."""
    total = np.pad(plane, ((1, 0), (1, 0))).cumsum(axis=0, dtype=np.float64).cumsum(axis=1)
    inside: Floats = total[high:, wide:] - total[:-high, wide:] - total[high:, :-wide] + total[:-high, :-wide]
    return inside
