"""What may be wrong with a picture that can be used: sentences for whoever chooses the pictures."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from lib_trainer.images.caption_concerns import caption_concerns
from lib_trainer.images.copies import Plan
from lib_trainer.images.pictures import Picture

LEAST_ENLARGEMENT = 1.05
LARGEST_LOSS = 0.2  # share of the picture
BLOCK_BYTES = 1 << 20


def concerns(picture: Picture, plans: Sequence[Plan]) -> list[str]:
    """What is to be said about one picture and what becomes of it, or of its pieces."""
    said = []
    enlargement = max(plan.enlargement(picture.width, picture.height) for plan in plans)
    if enlargement >= LEAST_ENLARGEMENT:
        said.append(f"small, enlarged {enlargement:.1f}x")
    left, top, right, bottom = plans[0].part(picture.width, picture.height)
    lost = 1 - (right - left) * (bottom - top) / (picture.width * picture.height)
    if lost > LARGEST_LOSS and len(plans) == 1:
        said.append(f"{lost:.0%} of it is cropped away")
    return said + caption_concerns(picture.caption, picture.caption_source)


def same_content(paths: Sequence[Path]) -> dict[Path, Path]:
    """The files that equal an earlier one byte for byte, each with that one; only files of equal length are read."""
    by_length: dict[int, list[Path]] = defaultdict(list)
    for path in paths:
        by_length[_length(path)].append(path)
    same = {}
    for alike in by_length.values():
        first: dict[str, Path] = {}
        for path in alike if len(alike) > 1 else ():
            earlier = first.setdefault(_digest(path), path)
            if earlier is not path:
                same[path] = earlier
    return same


def _length(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                digest.update(block)
    except OSError:
        return str(path)  # gone meanwhile: it equals none
    return digest.hexdigest()
