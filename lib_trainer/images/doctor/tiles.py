"""Brightness of a picture cut into square tiles, and its detail in two neighbouring sizes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]


def tiles(plane: Floats, side: int) -> Floats:
    """The whole tiles of a plane [height, width], each as one row [n, side * side]."""
    rows, columns = plane.shape[0] // side, plane.shape[1] // side
    whole = plane[: rows * side, : columns * side].reshape(rows, side, columns, side)
    return whole.swapaxes(1, 2).reshape(-1, side * side)


def smoothed(plane: Floats, step: int, axis: int) -> Floats:
    """The plane weighted 1-2-1 along an axis, with neighbours `step` pixels away; the edges are mirrored."""
    along = np.moveaxis(plane, axis, -1)
    padded: Floats = np.pad(along, [(0, 0), (step, step)], mode="reflect")
    mixed = (padded[:, : -2 * step] + 2 * padded[:, step:-step] + padded[:, 2 * step :]) / 4
    return np.moveaxis(mixed, -1, axis)


def detail(plane: Floats, axis: int) -> tuple[Floats, Floats]:
    """The finest detail along an axis, and that of twice the size; across it noise is smoothed a little."""
    calm = smoothed(plane, 1, 1 - axis)
    once = smoothed(calm, 1, axis)
    return calm - once, once - smoothed(once, 2, axis)
