"""What every loss entry provides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import torch


class LossOptions(Protocol):
    """Options of one loss."""

    def per_value(self, predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """The loss of each value [n, c, h, w] for predictions and targets of that shape, fp32."""
