"""LoRA (Hu et al., 2021) on the linear layers and, where asked for, the convolutions of a model (LoCon)."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from lib_trainer.core.options import existing, option
from lib_trainer.trainables.base import Shape
from lib_trainer.trainables.block_ranks import BlockRanks
from lib_trainer.trainables.layered import START_HELP, Design, told_sizes
from lib_trainer.trainables.places import MAP, Place
from lib_trainer.trainables.ranked import RankedOptions

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from lib_trainer.trainables.lora_layers import LoraLayer

DOWN, UP = "lora_down.weight", "lora_up.weight"


@dataclass(frozen=True)
class Lora(RankedOptions):
    """A small file that changes a model: low-rank additions to its layers."""

    marks: ClassVar[tuple[str, ...]] = (DOWN,)
    foreign: ClassVar[tuple[str, ...]] = ("dora_scale",)

    block_ranks: BlockRanks = option(
        BlockRanks(),
        "Other ranks for some layers, as 'mid_block=32, up_blocks_1*attn2=8': part of the layer's name in the file "
        "(* stands for anything) and its rank, 0 for none; alpha / rank stays the same.",
    )
    rank_stabilised: bool = option(
        False, "Scales by alpha / square root of the rank, so that large ranks learn as fast (rsLoRA)."
    )
    dropout: float = option(0.0, "Chance that one of the rank's values is left out at each step.", ge=0, le=0.95)
    rank_dropout: float = option(
        0.0, "Chance that one of the rank's directions is left out of a whole layer at each step.", ge=0, le=0.95
    )
    module_dropout: float = option(0.0, "Chance that a whole layer is left out at each step.", ge=0, le=0.95)
    max_norm: float | None = option(
        None, "Scales each layer's addition down to this norm after each step; empty sets no limit.", ge=0.001, le=1000
    )
    up_rate_ratio: float = option(
        1.0, "The second matrices learn this many times as fast as the first (LoRA+, usually 16).", ge=0.01, le=1000
    )
    start_from: Path | None = existing(None, START_HELP)

    def designs(self, places: Collection[Place]) -> dict[Place, Design]:
        designs = super().designs(places)
        self.block_ranks.check(place.name for place in places if self.size(place))
        return designs

    def design(self, place: Place) -> LoraDesign | None:
        size = self.size(place)
        if size is None:
            return None
        usual, alpha = size
        rank = self.block_ranks.rank_of(place.name, usual)
        if not rank:
            return None
        # Loaders divide by the rank: what the file calls alpha makes up for a rank of its own, or for the root.
        if self.rank_stabilised:
            alpha *= math.sqrt(rank)
        elif rank != usual:
            alpha *= rank / usual
        return LoraDesign(rank, alpha, self)

    @staticmethod
    def design_of(place: Place, found: Mapping[str, Tensor]) -> LoraDesign | None:
        if DOWN not in found:
            return None
        rank = found[DOWN].shape[0]
        return LoraDesign(rank, float(found.get("alpha", rank)), Lora())

    @staticmethod
    def told(designs: Mapping[Place, Design]) -> dict[str, str]:
        return told_sizes(designs, {}, "networks.lora")


@dataclass(frozen=True)
class LoraDesign:
    """One addition; `options` are asked for what matters while training only."""

    rank: int
    alpha: float
    options: Lora

    def shapes(self, place: Place) -> dict[str, Shape]:
        return lora_shapes(place, self.rank)

    def build(self, frozen: nn.Module, place: Place) -> LoraLayer:
        from torch import nn

        from lib_trainer.trainables.lora_layers import LoraConv, LoraLinear

        assert isinstance(frozen, (nn.Linear, nn.Conv2d))
        kind = LoraConv if len(place.shape) == MAP else LoraLinear
        layer = kind(frozen, self.rank, self.alpha, self.options.dropout)
        layer.rank_dropout, layer.module_dropout = self.options.rank_dropout, self.options.module_dropout
        layer.max_norm, layer.up_rate_ratio = self.options.max_norm, self.options.up_rate_ratio
        return layer

    def start(self, trained: Mapping[str, nn.Parameter], weight: Tensor, generator: torch.Generator) -> None:
        from lib_trainer.trainables.lora_layers import spread_as_new

        spread_as_new(trained[DOWN], generator)  # the other is nought


def lora_shapes(place: Place, rank: int) -> dict[str, Shape]:
    """A [rank, in, ...] and B [out, rank, ...] for the weight of a place."""
    outside, *inside = place.shape
    ones = (1,) * (len(place.shape) - 2)
    return {DOWN: (rank, *inside), UP: (outside, rank, *ones)}
