"""What every schedule entry provides, and the warm-up that all of them share."""

from __future__ import annotations

from typing import Protocol


class ScheduleOptions(Protocol):
    """Options of one schedule of the learning rate."""

    def factor(self, step: int, total: int) -> float:
        """What the learning rate is multiplied by at `step` (from 0) of `total` steps."""


def warm_up(step: int, warmup: int) -> float:
    """Linear from 1/warmup at step 0 to 1 at step warmup - 1, then 1: the first step already learns."""
    return min(1.0, (step + 1) / warmup) if warmup else 1.0


def passed(step: int, total: int, warmup: int) -> float:
    """The share of the steps after the warm-up that lies behind `step`, 0..1."""
    return min(1.0, max(0, step - warmup) / max(1, total - warmup))
