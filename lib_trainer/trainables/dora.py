"""DoRA (Liu et al., 2024): LoRA gives the weight's directions, a trained vector their lengths.

The lengths are those of the weight's columns, one for each input, as in the paper's formulas, and so [1, in]: A1111's
loader takes every norm by input, also where a file has lengths by output, which it then gets wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from lib_trainer.core.options import existing
from lib_trainer.trainables.base import Shape
from lib_trainer.trainables.layered import START_HELP, Design, told_sizes
from lib_trainer.trainables.lora import DOWN, UP, lora_shapes
from lib_trainer.trainables.places import Place
from lib_trainer.trainables.ranked import RankedOptions

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from lib_trainer.trainables.layered import Named
    from lib_trainer.trainables.weight_layers import WeightLayer

LENGTHS = "dora_scale"
SHORTEST = 1e-12  # no division by nought for an input that the model never uses


def column_norms(weight: Tensor) -> Tensor:
    """The norm of each input's values in a weight [out, in, ...]: [1, in, ...] with ones for the rest."""
    import torch

    over = [axis for axis in range(weight.ndim) if axis != 1]
    norms: Tensor = torch.linalg.vector_norm(weight, dim=over, keepdim=True)
    return norms.clamp_min(SHORTEST)


def dora_delta(weight: Tensor, addition: Tensor, lengths: Tensor) -> Tensor:
    """What is added to a weight [out, in, ...] whose changed columns get these lengths [1, in, ...] (equation 5)."""
    changed = weight + addition
    return changed * (lengths / column_norms(changed)) - weight


@dataclass(frozen=True)
class Dora(RankedOptions):
    """A LoRA that learns directions and lengths apart: often nearer to full training, and slower."""

    marks: ClassVar[tuple[str, ...]] = (DOWN, LENGTHS)

    start_from: Path | None = existing(None, START_HELP)

    def design(self, place: Place) -> DoraDesign | None:
        size = self.size(place)
        return DoraDesign(*size) if size else None

    @staticmethod
    def design_of(place: Place, found: Mapping[str, Tensor]) -> DoraDesign | None:
        if DOWN not in found:
            return None
        rank = found[DOWN].shape[0]
        return DoraDesign(rank, float(found.get("alpha", rank)))

    @staticmethod
    def told(designs: Mapping[Place, Design]) -> dict[str, str]:
        return told_sizes(designs, {"algo": "locon", "dora_wd": "True", "wd_on_output": "False"}, "lycoris.kohya")


@dataclass(frozen=True)
class DoraDesign:
    """One change of directions and lengths."""

    rank: int
    alpha: float

    def shapes(self, place: Place) -> dict[str, Shape]:
        return {**lora_shapes(place, self.rank), LENGTHS: (1, place.shape[1], *(1 for _ in place.shape[2:]))}

    def build(self, frozen: nn.Module, place: Place) -> WeightLayer:
        from lib_trainer.trainables.lora_layers import lora_delta
        from lib_trainer.trainables.weight_layers import WeightLayer

        scale = self.alpha / self.rank

        def delta(named: Named, weight: Tensor) -> Tensor:
            return dora_delta(weight, lora_delta(named[DOWN], named[UP], scale), named[LENGTHS])

        return WeightLayer(frozen, self, place, delta)

    def start(self, trained: Mapping[str, nn.Parameter], weight: Tensor, generator: torch.Generator) -> None:
        from lib_trainer.trainables.lora_layers import spread_as_new

        spread_as_new(trained[DOWN], generator)
        trained[LENGTHS].data.copy_(column_norms(weight.float()))
