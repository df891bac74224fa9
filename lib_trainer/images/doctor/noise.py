"""How noisy a picture is: the spread of its diagonal detail where it has least, as film grain shows in a plain wall.

The finest diagonal detail of a Haar wavelet and its median, after Donoho and Johnstone (1994).
"""

from __future__ import annotations

import numpy as np

from lib_trainer.images.doctor.tiles import Floats, tiles

TILE = 16  # of the detail, twice as much in the picture
CALMEST = 0.15  # the share of the parts that are taken for plain
FEWEST_PARTS = 4
DARK, BRIGHT = 20, 235  # beyond these noise is clipped away
MEDIAN_OF_NORMAL = 0.6745  # of the absolute values, where the standard deviation is 1
OF_CALMEST = 0.92  # what even noise shows in the calmest parts, by chance


def noise(plane: Floats) -> float:
    """Its strength as a standard deviation in grey levels; 0 where no part of the picture can tell it.

    `plane` is brightness in grey levels [height, width].
    """
    high, wide = plane.shape[0] // 2 * 2, plane.shape[1] // 2 * 2
    corners = [plane[row:high:2, column:wide:2] for row in (0, 1) for column in (0, 1)]
    diagonal = (corners[0] - corners[1] - corners[2] + corners[3]) / 2
    brightness = tiles((corners[0] + corners[1] + corners[2] + corners[3]) / 4, TILE).mean(axis=1)
    telling = (brightness > DARK) & (brightness < BRIGHT)
    if telling.sum() < FEWEST_PARTS:
        return 0.0
    spreads = np.median(np.abs(tiles(diagonal, TILE)[telling]), axis=1) / MEDIAN_OF_NORMAL
    return float(np.quantile(spreads, CALMEST)) / OF_CALMEST
