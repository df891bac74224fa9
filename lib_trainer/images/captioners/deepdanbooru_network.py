"""DeepDanbooru's network (a residual one, its normalisation folded in) over the weights of its PyTorch file.

The file's keys are `n_Conv_0` to `n_Conv_178`, in the order in which TorchDeepDanbooru's graph has them; widths come
from the weights, so a miniature runs as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Stage:
    """Blocks of one width: how many, the stride of the first, and whether its shortcut stands before or behind it."""

    blocks: int
    stride: int
    shortcut_first: bool = True


STAGES = (Stage(3, 1), Stage(8, 2), Stage(20, 2), Stage(20, 2, shortcut_first=False), Stage(3, 2), Stage(3, 2))
CONVOLUTIONS = 2 + sum(3 * stage.blocks + 1 for stage in STAGES)  # the first, each stage's, the last


@dataclass
class Network:
    """The weights by their keys; `scores` takes pictures to a number from 0 to 1 for each tag."""

    weights: dict[str, torch.Tensor]
    number: int = 0

    def scores(self, pictures: torch.Tensor) -> torch.Tensor:
        """[n, tags] of pictures [n, 3, side, side] from 0 to 1."""
        from torch.nn import functional

        self.number = 0
        x = functional.relu(self._convolved(functional.pad(pictures, (2, 3, 2, 3)), stride=2))
        x = functional.max_pool2d(functional.pad(x, (0, 1, 0, 1), value=float("-inf")), 3, 2)
        for stage in STAGES:
            for block in range(stage.blocks):
                x = self._block(x, stage.stride if block == 0 else 1, stage if block == 0 else None)
        return self._convolved(x).mean((2, 3)).sigmoid()

    def _block(self, x: torch.Tensor, stride: int, first_of: Stage | None) -> torch.Tensor:
        from torch.nn import functional

        shortcut = self._convolved(x, stride) if first_of is not None and first_of.shortcut_first else x
        inner = functional.relu(self._convolved(x))
        # TensorFlow's 'same': with stride 2 the one missing pixel is put at the right and the bottom.
        inner = functional.pad(inner, (1, 1, 1, 1) if stride == 1 else (0, 1, 0, 1))
        inner = self._convolved(functional.relu(self._convolved(inner, stride)))
        if first_of is not None and not first_of.shortcut_first:
            shortcut = self._convolved(x, stride)
        return functional.relu(inner + shortcut)

    def _convolved(self, x: torch.Tensor, stride: int = 1) -> torch.Tensor:
        from torch.nn import functional

        name = f"n_Conv_{self.number}"
        self.number += 1
        return functional.conv2d(x, self.weights[f"{name}.weight"], self.weights.get(f"{name}.bias"), stride)
