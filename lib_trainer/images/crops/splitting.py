"""Cutting a very tall or wide picture into several that overlap a little."""

from __future__ import annotations

import math

Edges = tuple[int, int, int, int]

OVERLAP = 0.2  # of a piece's length, so that what lies on a seam is whole in one of the two


def pieces(width: int, height: int, most: float | None) -> list[Edges]:
    """The pieces (left, top, right, bottom) of a picture of this size, none longer than `most` times its other side.

    One piece, the whole, where the picture is no longer than that, or nothing is to be cut.
    """
    long, short = max(width, height), min(width, height)
    if most is None or long <= most * short:
        return [(0, 0, width, height)]
    longest = max(1, math.floor(most * short))
    count = max(2, math.ceil((long - OVERLAP * longest) / ((1 - OVERLAP) * longest)))
    length = min(longest, math.ceil(long / (count - (count - 1) * OVERLAP)))
    starts = [round(number * (long - length) / (count - 1)) for number in range(count)]
    if width >= height:
        return [(start, 0, start + length, height) for start in starts]
    return [(0, start, width, start + length) for start in starts]
