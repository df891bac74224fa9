"""How long a training is: from the batches of its epochs to its steps."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from lib_trainer.core.units import Every
from lib_trainer.training.options import TrainingOptions


@dataclass(frozen=True)
class Length:
    """Steps of the first epoch, whose last step may have fewer batches than the others, and of the whole run.

    `ends` are the steps done at the end of each epoch, where epochs differ.
    """

    steps_per_epoch: int
    steps: int
    ends: tuple[int, ...] = ()

    @classmethod
    def of(cls, options: TrainingOptions, batches: Sequence[int]) -> Length:
        """The length with so many batches in each epoch; a single number holds for all of them."""
        in_epochs = [-(-count // options.accumulate) for count in batches]
        ends = tuple(accumulate(in_epochs)) if len(in_epochs) > 1 else ()
        whole = ends[-1] if ends else in_epochs[0] * options.epochs
        return cls(in_epochs[0], min(whole, options.max_steps or whole), ends)

    def epochs_at(self, step: int) -> tuple[int, bool]:
        """The epochs completed after so many steps, and whether the last one ended just then."""
        if self.ends:
            completed = bisect_right(self.ends, step)
            return completed, step == (self.ends[completed - 1] if completed else 0)
        return step // self.steps_per_epoch, step % self.steps_per_epoch == 0

    def moments(self, every: Every) -> Sequence[int]:
        """The steps up to the last at whose end something is due; none for what never happens or goes by the clock."""
        if not every.amount or every.unit == "minute":
            return ()
        if every.unit == "epoch" and self.ends:
            return [end for end in self.ends[every.amount - 1 :: every.amount] if end <= self.steps]
        interval = every.amount * (self.steps_per_epoch if every.unit == "epoch" else 1)
        return range(interval, self.steps + 1, interval)
