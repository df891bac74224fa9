"""Laying two small squares over each other, so that a crop or a bar is allowed for, and how alike they are then.

The squares are shifted and stretched along their sides by Gauss and Newton's method on their brightness (Lucas and
Kanade 1981, "An iterative image registration technique"), brighter or darker and more or less contrast allowed for. All
pairs are worked on at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lib_trainer.images.duplicates.fingerprints import COLOUR_SIDE, SIDE, Floats, Looks

Frames = npt.NDArray[np.float64]

ROUNDS = {SIDE // 2: 6, SIDE: 2}  # on squares of that side: first roughly, then finely
LARGEST_STEP = 0.1  # of the sides
STRETCH = (0.6, 1.67)
TILE = 8  # pixels of a square tile that is compared by itself
FLAT = 3.0  # levels of brightness, of 255: a tile that varies less has nothing to recognise
SPARED = 0.12  # share of what there is to see, the worst, that may be covered or cropped away
NO_COLOUR = 128.0
PALER = (0.4, 2.5)  # times as strong
COLOUR_SLACK, COLOUR_SHARE = 4.0, 0.5  # levels, and a share of how strong the colours are
LEAST_COVER = 0.6  # share of the area that must lie over each other


@dataclass(frozen=True)
class Pairs:
    """Pictures [n] to be laid over each other.

    `frames` [n, 4]: where in the first ones the second ones begin and end (left, top, right, bottom, in parts of the
    sides); `shown` [n, 4]: the part of the second ones that is looked at.
    """

    first: Looks
    second: Looks
    frames: Frames
    shown: Frames


def likeness(pairs: Pairs) -> Floats:
    """How alike each two are [n], from 0 to 1, once laid over each other as well as can be."""
    first, second = pairs.first.squares.astype(np.float32), pairs.second.squares.astype(np.float32)
    scales = np.stack([pairs.frames[:, 2] - pairs.frames[:, 0], pairs.frames[:, 3] - pairs.frames[:, 1]], axis=1)
    shifts = pairs.frames[:, :2].copy()
    for side, rounds in ROUNDS.items():
        one, other = _smoothed(_reduced(first, side)), _smoothed(_reduced(second, side))
        shown = _inside_of(pairs.shown, side)
        for _ in range(rounds):
            scales, shifts = _step(one, other, shown, scales, shifts)
    warped, inside = _warped(first, scales, shifts)
    alike = _tiles_alike(warped, second, inside * _inside_of(pairs.shown, SIDE))
    told: Floats = alike * _have_one_colour(pairs, scales, shifts)
    return told


def _step(first: Floats, second: Floats, shown: Floats, scales: Frames, shifts: Frames) -> tuple[Frames, Frames]:
    """One step of Gauss and Newton's method for the stretch and the shift, across and down."""
    side = first.shape[-1]
    warped, inside = _warped(first, scales, shifts)
    inside = inside * shown
    seen, wanted = _evened(warped, inside), _evened(second, inside)
    places = ((np.arange(side) + 0.5) / side).astype(np.float32)
    across, down = np.gradient(seen, axis=2) * side * inside, np.gradient(seen, axis=1) * side * inside
    slopes = np.stack([across * places, across, down * places[:, None], down], axis=1).reshape(len(first), 4, -1)
    error = ((wanted - seen) * inside).reshape(len(first), -1, 1)
    squares = np.matmul(slopes, slopes.transpose(0, 2, 1)).astype(np.float64)
    squares += np.eye(4) * (2.5e-4 * np.trace(squares, axis1=1, axis2=2)[:, None, None] + 1e-6)
    change = np.linalg.solve(squares, np.matmul(slopes, error).astype(np.float64))[:, :, 0]
    change = np.clip(change, -LARGEST_STEP, LARGEST_STEP)
    # The slopes are those of the warped square, so that the change is in its units.
    return np.clip(scales * (1 + change[:, [0, 2]]), *STRETCH), shifts + scales * change[:, [1, 3]]


def _evened(squares: Floats, inside: Floats) -> Floats:
    """With the mean 0 and the deviation 1 over what lies inside."""
    count = np.maximum(inside.sum(axis=(1, 2), keepdims=True), 1)
    centred = (squares - (squares * inside).sum(axis=(1, 2), keepdims=True) / count) * inside
    deviation = np.sqrt((centred**2).sum(axis=(1, 2), keepdims=True) / count)
    evened: Floats = centred / np.maximum(deviation, 1e-3)
    return evened


def _warped(squares: Floats, scales: Frames, shifts: Frames) -> tuple[Floats, Floats]:
    """What of each square lies over the other one, and which of its pixels do [n, side, side]."""
    side = squares.shape[-1]
    across, inside_across = _reading(scales[:, 0], shifts[:, 0], side)
    down, inside_down = _reading(scales[:, 1], shifts[:, 1], side)
    warped: Floats = np.matmul(np.matmul(down, squares), across.transpose(0, 2, 1))
    return warped, inside_down[:, :, None] * inside_across[:, None, :]


def _reading(scales: Frames, shifts: Frames, side: int) -> tuple[Floats, Floats]:
    """Matrices [n, side, side] that read a line stretched and shifted, and which of its places lie inside [n, side]."""
    places = (np.arange(side) + 0.5) / side
    at = (scales[:, None] * places[None, :] + shifts[:, None]) * side - 0.5
    inside = ((at > -0.5) & (at < side - 0.5)).astype(np.float32)
    at = np.clip(at, 0, side - 1).astype(np.float32)
    near = 1 - np.abs(at[:, :, None] - np.arange(side, dtype=np.float32))
    return np.maximum(near, 0), inside


def _inside_of(shown: Frames, side: int) -> Floats:
    """Ones where a part of a square lies [n, side, side]."""
    places = (np.arange(side) + 0.5) / side
    across = (places >= shown[:, 0:1]) & (places <= shown[:, 2:3])
    down = (places >= shown[:, 1:2]) & (places <= shown[:, 3:4])
    return (down[:, :, None] & across[:, None, :]).astype(np.float32)


def _reduced(squares: Floats, side: int) -> Floats:
    factor = squares.shape[-1] // side
    reduced: Floats = squares.reshape(len(squares), side, factor, side, factor).mean(axis=(2, 4))
    return reduced


def _smoothed(squares: Floats) -> Floats:
    """A little out of focus, so that a step finds its way from further off."""
    wide = np.pad(squares, [(0, 0), (1, 1), (1, 1)], mode="edge")
    down = (wide[:, :-2] + 2 * wide[:, 1:-1] + wide[:, 2:]) / 4
    return np.asarray((down[:, :, :-2] + 2 * down[:, :, 1:-1] + down[:, :, 2:]) / 4, dtype=np.float32)


def _tiles_alike(warped: Floats, second: Floats, inside: Floats) -> Floats:
    """The mean likeness of all tiles but the worst; tiles weigh by how much there is to see in them."""
    one, other = (tiles - tiles.mean(axis=2, keepdims=True) for tiles in (_tiled(warped), _tiled(second)))
    varies = [np.sqrt((each**2).mean(axis=2)) for each in (one, other)]
    alike = np.clip((one * other).mean(axis=2) / np.maximum(varies[0] * varies[1], FLAT**2), 0, 1)
    most = np.maximum(*varies)
    is_told = (_tiled(inside).mean(axis=2) > 0.99) & (most >= FLAT)
    weight = np.where(is_told, np.minimum(most, 8 * FLAT), 0)
    covered = inside.mean(axis=(1, 2)) >= LEAST_COVER
    told: Floats = _without_the_worst(alike, weight) * covered
    return told


def _have_one_colour(pairs: Pairs, scales: Frames, shifts: Frames) -> npt.NDArray[np.bool_]:
    """Whether the two have about the same colours [n], paler or stronger allowed for: else one was painted anew."""
    tints = []
    for channel in range(2):
        first = pairs.first.colours[:, channel].astype(np.float32) - NO_COLOUR
        warped, inside = _warped(first, scales, shifts)
        second = pairs.second.colours[:, channel].astype(np.float32) - NO_COLOUR
        inside = inside * _inside_of(pairs.shown, COLOUR_SIDE)
        tints.append((warped * inside, second * inside))
    one, other = (np.stack(each, axis=1).reshape(len(scales), 2, -1) for each in zip(*tints, strict=True))
    strength = (one * other).sum(axis=(1, 2)) / np.maximum((other**2).sum(axis=(1, 2)), 1e-3)
    nearest = other * np.clip(strength, *PALER)[:, None, None]
    apart, *strengths = (np.hypot(each[:, 0], each[:, 1]) for each in (one - nearest, one, other))
    most = int(apart.shape[1] * (1 - SPARED))
    apart = np.sort(apart, axis=1)
    strong = np.maximum(*(each.mean(axis=1) for each in strengths))
    same: npt.NDArray[np.bool_] = apart[:, :most].mean(axis=1) <= COLOUR_SLACK + COLOUR_SHARE * strong
    return same


def _tiled(squares: Floats) -> Floats:
    """[n, tiles, TILE²] of squares [n, SIDE, SIDE]."""
    count = SIDE // TILE
    tiles = squares.reshape(len(squares), count, TILE, count, TILE).swapaxes(2, 3)
    return tiles.reshape(len(squares), count * count, TILE * TILE)


def _without_the_worst(alike: Floats, weight: Floats) -> Floats:
    """The weighted mean [n] of `alike` [n, tiles], with the worst share SPARED of all weight left out."""
    order = np.argsort(alike, axis=1)
    alike, weight = np.take_along_axis(alike, order, axis=1), np.take_along_axis(weight, order, axis=1)
    above = np.cumsum(weight, axis=1) - SPARED * weight.sum(axis=1, keepdims=True)
    kept = np.clip(above, 0, weight)
    mean: Floats = (alike * kept).sum(axis=1) / np.maximum(kept.sum(axis=1), 1e-6)
    return mean
