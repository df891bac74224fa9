"""A learning rate that falls along half a cosine (Loshchilov & Hutter, 2017, without restarts)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lib_trainer.core.options import option
from lib_trainer.training.schedules.base import passed, warm_up


@dataclass(frozen=True)
class Cosine:
    """The learning rate falls slowly, then faster, then slowly to its end share."""

    warmup: int = option(0, "Steps in which the rate rises from near zero.", ge=0, unit="steps")
    end: float = option(0.0, "Share of the learning rate that is left at the end.", ge=0, le=1)

    def factor(self, step: int, total: int) -> float:
        half_cosine = (1 + math.cos(math.pi * passed(step, total, self.warmup))) / 2
        return warm_up(step, self.warmup) * (self.end + (1 - self.end) * half_cosine)
