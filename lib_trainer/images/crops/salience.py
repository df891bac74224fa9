"""How much each part of a picture stands out: from what touches its edges, and by being in focus.

The distance to the edges is the minimum barrier distance: Zhang, Sclaroff, Lin, Shen, Price, Mech, "Minimum Barrier
Salient Object Detection at 80 FPS", ICCV 2015, with the contrast to each edge of its section 3.3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float64]

SIDE = 96  # pixels of the longer side on which it is worked out
PASSES = 4
EDGE = 0.1  # the share of a side that counts as its edge
PLAIN = 6.0  # grey levels between which a bar at an edge is of one colour
STEEPNESS = 6.0
IN_FOCUS = 1.5  # what counts regardless of focus, against 1 for what is in focus
NEARBY = 0.04  # of the longer side: around a detail all is in focus
SOFT = 0.03  # of the longer side: a crop that just touches what stands out is too narrow
MIDDLE = 1.5  # how much less the corners count


def salience(picture: Image.Image) -> Floats:
    """Numbers from 0 to 1 [rows, columns] for a smaller copy of an RGB picture; plain bars at its edges are 0."""
    small = picture.copy()
    small.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    colours = np.asarray(small.convert("LAB"), dtype=np.float64)
    # Pillow's a and b are signed bytes in unsigned ones.
    colours[..., 1:] = (colours[..., 1:] + 128) % 256 - 128
    top, bottom, left, right = _without_bars(colours[..., 0])
    inner = colours[top:bottom, left:right]
    found = np.zeros(colours.shape[:2])
    found[top:bottom, left:right] = _inner_salience(inner)
    return found


def _without_bars(grey: Floats) -> tuple[int, int, int, int]:
    """Where the picture inside its bars begins and ends; the whole where it is all of one colour, or nearly all."""
    height, width = grey.shape
    rows = np.ptp(grey, axis=1) > PLAIN
    columns = np.ptp(grey, axis=0) > PLAIN
    if not rows.any() or not columns.any():
        return 0, height, 0, width
    first = (int(rows.argmax()), int(columns.argmax()))
    last = (height - int(rows[::-1].argmax()), width - int(columns[::-1].argmax()))
    if last[0] - first[0] < height / 4 or last[1] - first[1] < width / 4:
        return 0, height, 0, width
    return first[0], last[0], first[1], last[1]


def _inner_salience(colours: Floats) -> Floats:
    barrier = _scaled(np.sum([barrier_distance(colours[..., channel]) for channel in range(3)], axis=0))
    contrast = _scaled(_edge_contrast(colours))
    longer = max(colours.shape)
    focus = np.sqrt(_scaled(_blurred(_detail(colours[..., 0]), NEARBY * longer)))
    found = _scaled((barrier + contrast) * (IN_FOCUS + focus) * _middle(*colours.shape[:2]))
    return _blurred(_scaled(1 / (1 + np.exp(-STEEPNESS * (found - 0.5)))), SOFT * longer)


def barrier_distance(grey: Floats) -> Floats:
    """For each pixel, how far the values along the best way to an edge reach at least, from the lowest to the highest.

    Swept along diagonals from corner to corner, so that all pixels of a diagonal are done at once.
    """
    highest, lowest = grey.copy(), grey.copy()
    distance = np.full(grey.shape, np.inf)
    for edge in (np.s_[0, :], np.s_[-1, :], np.s_[:, 0], np.s_[:, -1]):
        distance[edge] = 0
    turns = (np.s_[:, :], np.s_[::-1, ::-1], np.s_[::-1, :], np.s_[:, ::-1])
    for number in range(PASSES):
        turn = turns[number % len(turns)]
        _sweep(grey[turn], highest[turn], lowest[turn], distance[turn])
    return distance


def _sweep(grey: Floats, highest: Floats, lowest: Floats, distance: Floats) -> None:
    height, width = grey.shape
    for diagonal in range(1, height + width - 1):
        rows = np.arange(max(0, diagonal - width + 1), min(height, diagonal + 1))
        columns = diagonal - rows
        for back in ((1, 0), (0, 1)):
            inside = (rows >= back[0]) & (columns >= back[1])
            here = rows[inside], columns[inside]
            there = here[0] - back[0], here[1] - back[1]
            high, low = np.maximum(highest[there], grey[here]), np.minimum(lowest[there], grey[here])
            better = high - low < distance[here]
            place = here[0][better], here[1][better]
            highest[place], lowest[place] = high[better], low[better]
            distance[place] = (high - low)[better]


def _edge_contrast(colours: Floats) -> Floats:
    """How unlike the four edges' colours a pixel is; the edge that it is most unlike does not count.

    That edge may be the one that the subject touches.
    """
    height, width = colours.shape[:2]
    deep, wide = max(1, round(height * EDGE)), max(1, round(width * EDGE))
    edges = (colours[:deep], colours[-deep:], colours[:, :wide], colours[:, -wide:])
    told = np.stack([_scaled(_unlike(colours, edge.reshape(-1, 3))) for edge in edges])
    return np.asarray(told.sum(axis=0) - told.max(axis=0))


def _unlike(colours: Floats, sample: Floats) -> Floats:
    """Mahalanobis' distance of each pixel from a sample of colours."""
    spread = np.cov(sample.T) if len(sample) > 1 else np.zeros((3, 3))
    inverse = np.linalg.inv(spread + 10 * np.eye(3))
    away = colours - sample.mean(axis=0)
    return np.asarray(np.sqrt(np.einsum("hwi,ij,hwj->hw", away, inverse, away)))


def _detail(grey: Floats) -> Floats:
    """How much each pixel differs from its neighbours: little where a picture is out of focus."""
    padded = np.pad(grey, 1, mode="edge")
    around = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
    return np.asarray(np.abs(4 * grey - around))


def _middle(height: int, width: int) -> Floats:
    """Slightly less towards the corners: of two things that stand out alike the one in the middle is meant."""
    down = np.linspace(-1, 1, height)[:, None]
    across = np.linspace(-1, 1, width)[None, :]
    return np.asarray(np.exp(-MIDDLE * (down**2 + across**2) / 2))


def _blurred(values: Floats, radius: float) -> Floats:
    reach = max(1, round(3 * radius))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / radius) ** 2)
    weights /= weights.sum()
    for axis in (0, 1):
        pad = [(0, 0), (0, 0)]
        pad[axis] = (reach, reach)
        padded = np.pad(values, pad, mode="edge")
        length = values.shape[axis]
        values = sum(
            weight * np.take(padded, range(start, start + length), axis) for start, weight in enumerate(weights)
        )
    return values


def _scaled(values: Floats) -> Floats:
    """From 0 to 1; all 0 where nothing differs."""
    low, high = float(values.min()), float(values.max())
    return (values - low) / (high - low) if high - low > 1e-9 else np.zeros(values.shape)
