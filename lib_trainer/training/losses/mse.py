"""Mean squared error, the loss of the diffusion papers (Ho et al., 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class MeanSquaredError:
    """The usual loss: squared differences, averaged over each picture."""

    def per_value(self, predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return (predicted.float() - target.float()).square()
