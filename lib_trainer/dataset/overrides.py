"""What a single picture has otherwise than the options say: its repeats, mirroring, caption dropout and weight."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from lib_trainer.core.errors import DataError
from lib_trainer.dataset.override_options import OverrideOptions

if TYPE_CHECKING:
    from lib_trainer.dataset.entries import Entry
    from lib_trainer.dataset.prospects import Prospect

MOST = {"repeats": math.inf, "flip": 1.0, "caption_dropout": 1.0, "loss_weight": math.inf}
Picture = TypeVar("Picture", "Entry", "Prospect")


@dataclass(frozen=True)
class Overrides:
    """`repeats` times as often as else, a fraction too; None leaves to the options what they say."""

    repeats: float = 1.0
    flip: float | None = None
    caption_dropout: float | None = None
    loss_weight: float = 1.0


class Repeated(Protocol):
    """A picture in one size, with its repeats by the folder and the options together."""

    @property
    def path(self) -> Path: ...

    @property
    def repeats(self) -> int: ...

    @property
    def own(self) -> Overrides: ...


def most_times(picture: Repeated) -> int:
    """How often the picture comes in an epoch at most."""
    return math.ceil(picture.repeats * picture.own.repeats)


def times(picture: Repeated, epoch: int, seed: int) -> int:
    """How often the picture comes in an epoch; over the epochs a fraction comes true exactly, each in its own turn."""
    if picture.own.repeats == 1:
        return picture.repeats
    often = picture.repeats * picture.own.repeats
    turn = Random(f"{seed}/{picture.path.name}/turn").random()
    return math.floor((epoch + 1) * often + turn) - math.floor(epoch * often + turn)


def merged(before: Overrides, told: dict[str, Any], file: Path) -> Overrides:
    """The same with what a file tells.

    Raises:
        DataError: one of its values is impossible.
    """
    for name, value in told.items():
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not 0 <= value <= MOST[name] or not math.isfinite(value):
            most = "" if MOST[name] == math.inf else f" to {MOST[name]:g}"
            raise DataError(f"'{name}' is {value!r} in {file}; it must be a number from 0{most or ' on'}.")
    return replace(before, **{name: float(value) for name, value in told.items()})


def with_overrides(
    pictures: Sequence[Picture], options: OverrideOptions, folder: Path
) -> tuple[list[Picture], list[str]]:
    """The pictures with what side files in `folder` and below tell of them, and notices for the user.

    Raises:
        DataError: a side file can't be read, or tells something impossible.
    """
    if not options.wanted:
        return list(pictures), []
    from lib_trainer.dataset.side_files import SideFiles

    files = SideFiles(folder, options)
    told = {path: files.overrides(path) for path in dict.fromkeys(picture.path for picture in pictures)}
    return [replace(picture, own=told[picture.path]) for picture in pictures], files.notices
