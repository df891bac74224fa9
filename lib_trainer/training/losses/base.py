"""What every loss entry provides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import torch


class LossOptions(Protocol):
    """Options of one loss."""

    def per_sample(self, predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """The loss of each sample [n] for predictions and targets [n, c, h, w], fp32."""
