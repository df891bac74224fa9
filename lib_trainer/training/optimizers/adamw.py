"""AdamW: Adam with decoupled weight decay."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lib_trainer.core.options import option

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class AdamW:
    """The usual choice: Adam with decoupled weight decay (Loshchilov & Hutter, 2019)."""

    weight_decay: float = option(0.01, "Pulls weights towards zero at every step.", ge=0, le=1)
    beta1: float = option(0.9, "How long the direction of a step is remembered.", ge=0, le=0.9999)
    beta2: float = option(0.999, "How long the size of gradients is remembered.", ge=0, le=0.99999)
    epsilon: float = option(1e-8, "Keeps the step finite where gradients vanish.", ge=1e-16, le=1e-2)

    def build(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        import torch

        optimizer = torch.optim.AdamW(
            groups, betas=(self.beta1, self.beta2), eps=self.epsilon, weight_decay=self.weight_decay, fused=True
        )
        # PyTorch would make these after the first step, in the gaps that its activations leave; the next ones then
        # don't fit there any more, and the process grows by twice as much.
        for parameter in (each for group in optimizer.param_groups for each in group["params"]):
            optimizer.state[parameter] = {
                "step": torch.zeros((), device=parameter.device),
                "exp_avg": torch.zeros_like(parameter),
                "exp_avg_sq": torch.zeros_like(parameter),
            }
        return optimizer

    def state_bytes(self, shape: tuple[int, ...]) -> list[int]:
        return [4, 4 * math.prod(shape), 4 * math.prod(shape)]
