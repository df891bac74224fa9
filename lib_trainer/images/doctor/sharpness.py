"""How sharp the sharpest parts of a picture are: its finest detail, measured by the detail of twice the size.

An edge has both whatever its contrast; blur takes the finest away first. Only the parts with most detail are looked at,
so that a soft background is no fault.
"""

from __future__ import annotations

import numpy as np

from lib_trainer.images.doctor.tiles import Floats, detail, tiles

TILE = 32
RICHEST = 10  # one in so many tiles is looked at, the ones with most detail
FEWEST_TILES = 4
FLAT = 0.05  # detail below this, in squared grey levels, is none
UNEVEN = 1.2  # by chance noise is stronger in some tiles
ROUNDING = 1 / 12  # the variance that whole grey levels leave
# What even noise of strength 1 leaves in either detail, from the weights of the filters.
NOISE_FINE, NOISE_COARSE = 0.375 * 0.375, 0.375 * 0.109375


def sharpness(plane: Floats, noise: float) -> float | None:
    """About 1 for a sharp photo, 0.3 for a blurred one; the softer of both directions, so that shaking shows as well.

    `plane` is brightness in grey levels [height, width]; `noise` is its strength, which would pass for detail. None:
    there is nothing in the picture that could be sharp.
    """
    found = [one for one in (_along(plane, axis, noise) for axis in (0, 1)) if one is not None]
    return min(found) if found else None


def _along(plane: Floats, axis: int, noise: float) -> float | None:
    fine, coarse = ((tiles(each, TILE) ** 2).mean(axis=1) for each in detail(plane, axis))
    variance = noise**2 + ROUNDING
    fine, coarse = np.maximum(fine - UNEVEN * NOISE_FINE * variance, 0), coarse - NOISE_COARSE * variance
    richest = np.argsort(coarse)[-max(FEWEST_TILES, len(coarse) // RICHEST) :]
    seen = richest[coarse[richest] > max(FLAT, NOISE_COARSE * variance)]  # more than noise
    return float(np.quantile(np.sqrt(fine[seen] / coarse[seen]), 0.75)) if len(seen) else None
