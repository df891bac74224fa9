"""A learning rate that stays."""

from __future__ import annotations

from dataclasses import dataclass

from lib_trainer.core.options import option
from lib_trainer.training.schedules.base import warm_up


@dataclass(frozen=True)
class Constant:
    """The learning rate stays as it is."""

    warmup: int = option(0, "Steps in which the rate rises from near zero.", ge=0, unit="steps")

    def factor(self, step: int, total: int) -> float:
        return warm_up(step, self.warmup)
