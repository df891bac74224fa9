"""Several concepts that come about equally often: the rarer ones are repeated, as near as whole repeats allow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from lib_trainer.dataset.options import DatasetOptions

if TYPE_CHECKING:
    from lib_trainer.dataset.entries import Entry
    from lib_trainer.dataset.prospects import Prospect

Picture = TypeVar("Picture", "Entry", "Prospect")


def balanced(pictures: Sequence[Picture], options: DatasetOptions) -> tuple[list[Picture], list[str]]:
    """The pictures with the repeats that make their groups even, where that is wished, and what the user should know.

    Groups are the concepts; where none is told, the folders directly inside the folder of pictures.
    """
    if not options.balance:
        return list(pictures), []
    groups = [_group(picture, options) for picture in pictures]
    shown: Counter[str] = Counter()
    for group, picture in zip(groups, pictures, strict=True):
        shown[group] += picture.repeats
    most = max(shown.values(), default=0)
    factors = {group: (2 * most + count) // (2 * count) for group, count in shown.items() if count}
    even = [
        replace(picture, repeats=picture.repeats * factors.get(group, 1))
        for group, picture in zip(groups, pictures, strict=True)
    ]
    notices = [
        f"{group} come {factor} times as often, so that all concepts are shown about equally."
        for group, factor in sorted(factors.items())
        if factor > 1
    ]
    return even, notices


def _group(picture: Entry | Prospect, options: DatasetOptions) -> str:
    """The words for the group that a picture belongs to."""
    if options.concepts:
        number = picture.concept
        if number is None:
            return f"Pictures of {options.folder.name} that belong to no concept"
        folder = options.concepts[number].folder or options.folder
        return f"Pictures of concept {number + 1} ({folder.name})"
    inside = _inside(options.folder, picture.path)
    return f"Pictures in '{inside}'" if inside else f"Pictures directly in {options.folder.name}"


def _inside(folder: Path, path: Path) -> str:
    parts = path.relative_to(folder).parts if path.is_relative_to(folder) else ()
    return parts[0] if len(parts) > 1 else ""
