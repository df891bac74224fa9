"""Where in a picture lies what matters, told by its columns and rows, and where a crop goes to hold most of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from lib_trainer.images.crops.faces import Box, FaceFinder
from lib_trainer.images.crops.salience import Floats, salience

PARTS = 64  # columns, and rows
WHOLE = 10_000
FACES_SHARE = 0.7  # of all that matters, where there are faces
AROUND = 0.2  # of a face's size on each side: hair and ears
BELOW = 1.0  # of its height: neck and shoulders, or a body
PLACES = 201  # that are tried
NEARLY_ALL = 0.995  # places that hold this share of the most are alike good


@dataclass(frozen=True)
class Focus:
    """How much of what matters lies in each column and in each row of a picture; each adds up to about `WHOLE`."""

    columns: tuple[int, ...]
    rows: tuple[int, ...]


def find_focus(picture: Image.Image, faces: FaceFinder) -> Focus:
    """The focus of an RGB picture: its faces above all, and what stands out."""
    told = _shares(np.sqrt(salience(picture)))
    found = faces.find(picture)
    if found:
        told = (1 - FACES_SHARE) * told + FACES_SHARE * _shares(_map_of(found, told.shape))
    return Focus(_parts(told.sum(axis=0)), _parts(told.sum(axis=1)))


def place(parts: tuple[int, ...], whole: float, between: tuple[float, float], window: float) -> float:
    """Where a window within the two edges begins so that it holds most of what matters; all in pixels of `whole`.

    Of places that are about as good, the one in their middle.
    """
    low, high = between
    if high - low <= window:
        return low
    before = np.concatenate([[0], np.cumsum(parts)])
    starts = np.linspace(low, high - window, PLACES)
    edges = np.linspace(0, whole, len(before))
    held = np.interp(starts + window, edges, before) - np.interp(starts, edges, before)
    good = starts[held >= NEARLY_ALL * held.max()]
    return float(good[0] + good[-1]) / 2


def _map_of(faces: list[Box], shape: tuple[int, ...]) -> Floats:
    """1 where a face is, with what is around it; a face found twice counts once."""
    height, width = shape
    found = np.zeros((height, width))
    for left, top, right, bottom in faces:
        wide, high = AROUND * (right - left), AROUND * (bottom - top)
        end = bottom + high + BELOW * (bottom - top)
        rows = slice(max(0, int((top - high) * height)), max(1, round(end * height)))
        columns = slice(max(0, int((left - wide) * width)), max(1, round((right + wide) * width)))
        found[rows, columns] = 1.0
    return found


def _shares(values: Floats) -> Floats:
    """As shares of their sum; evenly spread where there is nothing."""
    total = float(values.sum())
    return values / total if total > 0 else np.full(values.shape, 1 / values.size)


def _parts(values: Floats) -> tuple[int, ...]:
    """The same in `PARTS` parts."""
    before = np.concatenate([[0.0], np.cumsum(values)])
    edges = np.interp(np.linspace(0, len(values), PARTS + 1), range(len(before)), before)
    return tuple(round(float(part) * WHOLE) for part in np.diff(edges))
