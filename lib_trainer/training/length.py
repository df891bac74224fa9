"""How long a training is: from the batches of an epoch to its steps."""

from __future__ import annotations

from dataclasses import dataclass

from lib_trainer.training.options import TrainingOptions


@dataclass(frozen=True)
class Length:
    """Steps of one epoch, whose last step may have fewer batches than the others, and of the whole run."""

    steps_per_epoch: int
    steps: int

    @classmethod
    def of(cls, options: TrainingOptions, batches: int) -> Length:
        """The length with so many batches in each epoch."""
        in_epoch = -(-batches // options.accumulate)
        whole = in_epoch * options.epochs
        return cls(in_epoch, min(whole, options.max_steps or whole))

    def epochs_at(self, step: int) -> tuple[int, bool]:
        """The epochs completed after so many steps, and whether the last one ended just then."""
        return step // self.steps_per_epoch, step % self.steps_per_epoch == 0
