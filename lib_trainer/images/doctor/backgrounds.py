"""Pictures with the same background: what stands at their rims looks alike, coarsely and in colour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE, RIM = 12, 2  # fields of the coarse copy; how many from each edge count, but for the ground at the bottom
ALIKE = 22.0  # levels of 0 to 255, by which fields differ on average

Rim = NDArray[Any]


def rim_of(image: Image.Image) -> Rim:
    """What `same_backgrounds` compares of a picture: the colours of fields along its left, upper and right edge."""
    fields = np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX), dtype=np.float32)
    mask = np.ones((SIDE, SIDE), dtype=bool)
    mask[RIM:, RIM:-RIM] = False
    rim: Rim = fields[mask]
    return rim


def same_backgrounds(rims: Sequence[Rim]) -> list[list[int]]:
    """The numbers of the pictures that look alike around, most first; each is in one group, alone or with others.

    A picture joins the nearest group by that group's first picture, so the work grows with the number of groups.
    """
    groups: list[list[int]] = []
    firsts: list[Rim] = []
    for number, rim in enumerate(rims):
        distances = [float(np.abs(rim - first).mean()) for first in firsts]
        nearest = int(np.argmin(distances)) if distances else -1
        if distances and distances[nearest] <= ALIKE:
            groups[nearest].append(number)
        else:
            groups.append([number])
            firsts.append(rim)
    return sorted(groups, key=len, reverse=True)
