"""What every optimizer entry provides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import torch


class OptimizerOptions(Protocol):
    """Options of one update rule, and how to build it."""

    def build(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        """An optimizer over parameter groups, each with its own `lr`."""

    def state_bytes(self, shape: tuple[int, ...]) -> list[int]:
        """Bytes of each tensor that it keeps for a trained tensor of this shape."""
