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
from lib_trainer.trainables.lora import DOWN, lora_shapes
from lib_trainer.trainables.places import Place
from lib_trainer.trainables.ranked import RankedOptions

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from lib_trainer.trainables.dora_layers import DoraLayer

LENGTHS = "dora_scale"


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

    def build(self, frozen: nn.Module, place: Place) -> DoraLayer:
        from torch import nn

        from lib_trainer.trainables.dora_layers import DoraLayer

        assert isinstance(frozen, (nn.Linear, nn.Conv2d))
        return DoraLayer(frozen, self.rank, self.alpha)

    def start(self, trained: Mapping[str, nn.Parameter], weight: Tensor, generator: torch.Generator) -> None:
        from lib_trainer.trainables.dora_layers import column_norms
        from lib_trainer.trainables.lora_layers import spread_as_new

        spread_as_new(trained[DOWN], generator)
        trained[LENGTHS].data.copy_(column_norms(weight.float()).view_as(trained[LENGTHS]))
