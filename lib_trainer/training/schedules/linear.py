"""A learning rate that falls in a straight line."""

from __future__ import annotations

from dataclasses import dataclass

from lib_trainer.core.options import option
from lib_trainer.training.schedules.base import passed, warm_up


@dataclass(frozen=True)
class Linear:
    """The learning rate falls in a straight line to its end share."""

    warmup: int = option(0, "Steps in which the rate rises from near zero.", ge=0, unit="steps")
    end: float = option(0.0, "Share of the learning rate that is left at the end.", ge=0, le=1)

    def factor(self, step: int, total: int) -> float:
        falling = 1 - (1 - self.end) * passed(step, total, self.warmup)
        return warm_up(step, self.warmup) * falling
