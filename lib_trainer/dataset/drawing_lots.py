"""Which pictures an epoch shows where the better rated ones are shown more often: lots drawn anew for each epoch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Protocol

from lib_trainer.core.errors import DataError
from lib_trainer.dataset.overrides import Repeated, times


class Rated(Repeated, Protocol):
    """A picture in one size, with its repeats and how it was rated."""

    @property
    def rating(self) -> float: ...


@dataclass(frozen=True)
class Lots:
    """How many pictures the epochs show: all in the first, near `last` of them in the last of `epochs`."""

    last: float
    epochs: int
    seed: int

    def share(self, epoch: int) -> float:
        """Of the pictures, in an epoch counted from 0; EveryDream2's rule, whose target is in percent."""
        return (self.epochs - epoch * (1 - self.last)) / self.epochs

    def repeats(self, pictures: Sequence[Rated], epoch: int) -> list[int]:
        """How often each picture comes in an epoch: as always, or not at all; all sizes of a picture alike.

        Raises:
            DataError: no picture comes in it.
        """
        repeats = [times(picture, epoch, self.seed) for picture in pictures]
        if self.last != 1:
            drawn = self._drawn({picture.path: picture.rating for picture in pictures}, epoch)
            repeats = [often if picture.path in drawn else 0 for picture, often in zip(pictures, repeats, strict=True)]
        if not any(repeats):
            raise DataError(f"Epoch {epoch + 1} shows no picture; raise 'dataset.repeats', or those in side files.")
        return repeats

    def differing(self, pictures: Sequence[Rated]) -> int:
        """How many epochs must be looked at to know them all."""
        return self.epochs if self.last < 1 or any(picture.own.repeats != 1 for picture in pictures) else 1

    def _drawn(self, ratings: dict[Path, float], epoch: int) -> set[Path]:
        """Draws without putting back, the chances as the ratings (Efraimidis and Spirakis, 2006).

        Each picture's key is u^(1 / rating) with u evenly from 0 to 1; those with the largest keys are drawn.
        """
        random = Random(f"{self.seed}/{epoch}/lots")
        count = math.ceil(round(self.share(epoch) * len(ratings), 9))  # 0.7 of 10 is 7, not 7.000000000000001
        keys = {path: math.log(1 - random.random()) / rating for path, rating in ratings.items()}
        return set(sorted(keys, key=lambda path: -keys[path])[:count])
