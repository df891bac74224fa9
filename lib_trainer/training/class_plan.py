"""Which class pictures a training needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from lib_trainer.core.places import cache_folder
from lib_trainer.dataset.class_sets import ClassSet, Group, class_sets
from lib_trainer.training.options import TrainingOptions

HOME = "class-pictures"  # in the cache, for concepts without a class folder


class Learnt(Protocol):
    """A picture to learn in one size."""

    @property
    def concept(self) -> int | None: ...

    @property
    def bucket(self) -> tuple[int, int]: ...

    @property
    def repeats(self) -> int: ...


def planned_classes(options: TrainingOptions, learnt: Sequence[Learnt]) -> list[ClassSet]:
    """The class pictures that there have to be beside those to learn.

    Raises:
        DataError: as `class_sets`.
    """
    if not options.keeps_classes or options.prior.kind == "prediction":
        return []
    shown: Counter[Group] = Counter()
    for picture in learnt:
        shown[picture.concept, picture.bucket] += picture.repeats
    return class_sets(options.dataset, shown, options.prior.pictures, cache_folder() / HOME)
