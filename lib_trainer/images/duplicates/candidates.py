"""Which two of many pictures may be copies of each other, by their fingerprints: all against all, a block at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lib_trainer.images.duplicates.fingerprints import WHOLE, Bytes, Floats, Window, fingerprints, mirrored

Integers = npt.NDArray[np.int64]

BLOCK = 512  # pictures that are held against all others at a time
LEAST = 0.7  # likeness of two fingerprints from which on a closer look is worth it
MOST_EACH = 64  # candidates of one picture


class Guess(NamedTuple):
    """How two pictures may lie over each other: this part of the first one over that part of the second one."""

    first: Window
    second: Window


GUESSES = (
    Guess(WHOLE, WHOLE),
    # cropped all around, or on one side
    Guess(Window(0.05, 0.05, 0.95, 0.95), WHOLE),
    Guess(Window(0.08, 0, 1, 1), WHOLE),
    Guess(Window(0, 0, 0.92, 1), WHOLE),
    # or there is a bar of text above or below
    Guess(Window(0, 0.08, 1, 1), WHOLE),
    Guess(Window(0, 0, 1, 0.92), WHOLE),
    Guess(Window(0, 0.15, 1, 1), WHOLE),
    Guess(Window(0, 0, 1, 0.85), WHOLE),
    Guess(Window(0, 0.22, 1, 1), WHOLE),
    Guess(Window(0, 0, 1, 0.78), WHOLE),
    # or a bar of text covers the upper or lower edge
    Guess(Window(0, 0.17, 1, 1), Window(0, 0.17, 1, 1)),
    Guess(Window(0, 0, 1, 0.83), Window(0, 0, 1, 0.83)),
)


@dataclass(frozen=True)
class Candidates:
    """Pairs of pictures by their numbers [n], the likelier first.

    `straight` and `turned` count in GUESSES: how the two lie over each other as they are, and with the first one
    mirrored; -1 where that is out of the question.
    """

    first: Integers
    second: Integers
    straight: Integers
    turned: Integers


def find_candidates(squares: Bytes, flips: bool, on_progress: Callable[[int, int], None]) -> Candidates:
    """The pairs among squares [n, SIDE, SIDE] that are worth a closer look; mirrored ones only with `flips`.

    `on_progress(done, total)` counts pictures; what it raises ends the search.
    """
    prints = {window: _in_blocks(squares, window) for window in {each for guess in GUESSES for each in guess}}
    found = []
    for start in range(0, len(squares), BLOCK):
        rows = slice(start, min(start + BLOCK, len(squares)))
        straight = _best_guess(prints, rows, is_mirrored=False)
        turned = _best_guess(prints, rows, is_mirrored=True) if flips else None
        found.append(_picked(straight, turned, start))
        on_progress(rows.stop, len(squares))
    return _once(found)


def _in_blocks(squares: Bytes, window: Window) -> Floats:
    blocks = range(0, len(squares), BLOCK)
    return np.concatenate([fingerprints(squares[start : start + BLOCK].astype(np.float32), window) for start in blocks])


def _best_guess(prints: dict[Window, Floats], rows: slice, is_mirrored: bool) -> Told:
    """The highest score of each picture of these rows against all, and the guess that gave it."""
    best: Floats = np.empty((0, 0), dtype=np.float32)
    which: npt.NDArray[np.int8] = np.empty((0, 0), dtype=np.int8)
    for number, guess in enumerate(GUESSES):
        ours = prints[guess.first][rows]
        score = (mirrored(ours) if is_mirrored else ours) @ prints[guess.second].T
        if number == 0:
            best, which = score, np.zeros(score.shape, dtype=np.int8)
            continue
        better = score > best
        np.copyto(best, score, where=better)
        which[better] = number
    return best, which


Told = tuple[Floats, npt.NDArray[np.int8]]
Scored = tuple[Integers, Integers, Integers, Integers, Floats]


def _picked(straight: Told, turned: Told | None, start: int) -> Scored:
    """The pairs of a block of which one of the two ways scores enough: numbers, guesses and the higher score."""
    own = np.arange(len(straight[0]))
    both = [straight, turned or (np.zeros_like(straight[0]), np.zeros_like(straight[1]))]
    for score, _ in both:
        score[own, start + own] = 0
    best = _only_the_best(np.maximum(both[0][0], both[1][0]))
    rows, columns = np.nonzero(best > LEAST)
    guesses = [
        np.where(score[rows, columns] > LEAST, which[rows, columns].astype(np.int64), -1) for score, which in both
    ]
    return rows + start, columns, guesses[0], guesses[1], best[rows, columns]


def _only_the_best(score: Floats) -> Floats:
    """The scores of each row, all but the highest MOST_EACH set to 0."""
    crowded = np.nonzero((score > LEAST).sum(axis=1) > MOST_EACH)[0]
    for row in crowded:
        least = np.partition(score[row], -MOST_EACH)[-MOST_EACH]
        score[row][score[row] < least] = 0
    return score


def _once(found: list[Scored]) -> Candidates:
    """Every pair once, by its better side, the likeliest first."""
    first, second, straight, turned, score = (np.concatenate(each) for each in zip(*found, strict=True))
    order = np.argsort(-score, kind="stable")
    low, high = np.minimum(first, second)[order], np.maximum(first, second)[order]
    _, kept = np.unique(low * (high.max(initial=0) + 1) + high, return_index=True)
    order = order[np.sort(kept)]
    return Candidates(first[order], second[order], straight[order], turned[order])
