"""Even bars at the edges of a picture, as films and screenshots have them."""

from __future__ import annotations

import numpy as np

from lib_trainer.images.doctor.tiles import Floats

EVEN = 4.0  # grey levels; what JPEG leaves of one tone
STEP = 12.0  # grey levels by which the picture differs from its bar
STRAIGHT = 0.6  # share of the line behind a bar that must differ; less is a thing on a plain ground
DRIFT = 1.5  # grey levels by which the tone may change over more than half of a bar
SOFT = 10  # lines over which JPEG may smear the end of a bar
THINNEST, THICKEST = 0.015, 0.45  # of the side
FEWEST_LINES = 4


def borders(plane: Floats) -> tuple[float, float, float, float]:
    """The bars at the left, top, right and bottom as shares of the picture's width or height; 0 where there is none.

    `plane` is brightness in grey levels [height, width].
    """
    left, right = _bar(plane.T), _bar(plane.T[::-1])
    return left, _bar(plane), right, _bar(plane[::-1])


def _bar(plane: Floats) -> float:
    """The bar above a plane, as a share of its height."""
    tone = float(np.median(plane[0]))
    # Nine tenths, as the ends of a line may lie in the bars of the other sides.
    off = np.abs(plane - tone)
    uneven = np.quantile(off, 0.9, axis=1) > EVEN
    thick = int(np.argmax(uneven)) if uneven.any() else 0
    share = thick / len(plane)
    if thick < FEWEST_LINES or not THINNEST <= share <= THICKEST:
        return 0.0
    if abs(float(np.median(plane[thick * 6 // 10])) - tone) > DRIFT:
        return 0.0  # a sky that grows darker, not a bar
    behind = (off[thick : thick + SOFT] > STEP).mean(axis=1)
    return share if behind.max() >= STRAIGHT else 0.0
