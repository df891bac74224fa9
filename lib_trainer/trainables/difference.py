"""Full differences: every value of the chosen layers' weights is trained, and what was added to it is the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from lib_trainer.core.options import existing, option
from lib_trainer.trainables.base import Shape
from lib_trainer.trainables.layered import START_HELP, Design, LayeredOptions
from lib_trainer.trainables.places import Place

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from lib_trainer.trainables.layered import Named
    from lib_trainer.trainables.weight_layers import WeightLayer

WEIGHT, BIAS = "diff", "diff_b"


def full_delta(named: Named, weight: Tensor) -> Tensor:
    """What is added to a weight: just the trained values, of its shape."""
    return named[WEIGHT]


@dataclass(frozen=True)
class Difference(LayeredOptions):
    """Everything in the chosen layers, as a network file: the most to learn, and a file as large as those layers."""

    marks: ClassVar[tuple[str, ...]] = (WEIGHT,)

    convolutions: bool = option(False, "Whether convolutions and what is around them are changed too.")
    biases: bool = option(True, "Whether the biases are changed too.")
    start_from: Path | None = existing(None, START_HELP)

    def design(self, place: Place) -> DifferenceDesign | None:
        if place.is_norm or (place.in_conv_block and not self.convolutions):
            return None
        return DifferenceDesign(self.biases and place.biased)

    @staticmethod
    def design_of(place: Place, found: Mapping[str, Tensor]) -> DifferenceDesign | None:
        has_bias = BIAS in found
        return DifferenceDesign(has_bias) if WEIGHT in found and not (has_bias and not place.biased) else None

    @staticmethod
    def told(designs: Mapping[Place, Design]) -> dict[str, str]:
        return {"ss_network_module": "lycoris.kohya", "ss_network_args": '{"algo": "full"}'}


@dataclass(frozen=True)
class DifferenceDesign:
    """One difference, of the bias too if told."""

    with_bias: bool
    rank: ClassVar[None] = None
    alpha: ClassVar[None] = None

    def shapes(self, place: Place) -> dict[str, Shape]:
        return {WEIGHT: place.shape, **({BIAS: place.shape[:1]} if self.with_bias else {})}

    def build(self, frozen: nn.Module, place: Place) -> WeightLayer:
        from lib_trainer.trainables.weight_layers import WeightLayer

        return WeightLayer(frozen, self, place, full_delta)

    def start(self, trained: Mapping[str, nn.Parameter], weight: Tensor, generator: torch.Generator) -> None:
        """Differences begin with nought."""
