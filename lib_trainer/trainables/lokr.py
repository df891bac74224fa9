"""LoKr: the Kronecker product of a small matrix and a larger one, the latter of low rank (KronA; Edalati et al., 2022,
with LyCORIS's factors; Yeh et al., 2024)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from lib_trainer.core.options import existing, option
from lib_trainer.trainables.base import Shape
from lib_trainer.trainables.layered import START_HELP, Design, LayeredOptions, told_sizes
from lib_trainer.trainables.places import Place

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from lib_trainer.trainables.layered import Named
    from lib_trainer.trainables.weight_layers import WeightLayer

SMALL, WHOLE, LEFT, RIGHT = "lokr_w1", "lokr_w2", "lokr_w2_a", "lokr_w2_b"
WORTH = 2  # the larger matrix has two factors only where its rank is below this part of its longer side


def lokr_delta(small: Tensor, large: Tensor, shape: Shape) -> Tensor:
    """The Kronecker product of [m, n] and [out / m, (in / n) * kh * kw] as a weight of `shape` [out, in, kh, kw]."""
    import torch

    return torch.kron(small, large).reshape(shape)


def split_size(size: int, factor: int) -> tuple[int, int]:
    """A smaller and a larger whole number whose product is the size.

    The smaller is the largest divisor that is at most `factor` and at most the root of the size; 0 sets no limit.
    """
    most = min(factor or size, int(size**0.5))
    small = next(number for number in range(most, 0, -1) if size % number == 0)
    return small, size // small


@dataclass(frozen=True)
class Lokr(LayeredOptions):
    """Kronecker products: the smallest files, and with 'full' large changes from few numbers."""

    marks: ClassVar[tuple[str, ...]] = (SMALL,)

    rank: int = option(
        16, "Size of the additions: more can learn more, and needs more pictures.", ge=1, le=1024, group="first"
    )
    alpha: float = option(16.0, "Strength of the additions; they are scaled by alpha / rank.", ge=0.001, le=4096)
    factor: int = option(8, "Largest side of the small matrix; 0 takes the squarest split there is.", ge=0, le=128)
    full: bool = option(False, "Keeps the larger matrix whole everywhere, whatever the rank; its scale is then 1.")
    convolutions: bool = option(False, "Whether convolutions and what is around them are changed too.")
    start_from: Path | None = existing(None, START_HELP)

    def design(self, place: Place) -> LokrDesign | None:
        if place.is_norm or (place.in_conv_block and not self.convolutions):
            return None
        (m, out), (n, inside) = split_size(place.shape[0], self.factor), split_size(place.shape[1], self.factor)
        whole = self.full or self.rank >= max(out, inside) / WORTH
        return LokrDesign((m, n), None, None) if whole else LokrDesign((m, n), self.rank, self.alpha)

    @staticmethod
    def design_of(place: Place, found: Mapping[str, Tensor]) -> LokrDesign | None:
        if SMALL not in found:
            return None
        m, n = found[SMALL].shape
        if RIGHT not in found:
            return LokrDesign((m, n), None, None)
        rank = found[RIGHT].shape[0]
        return LokrDesign((m, n), rank, float(found.get("alpha", rank)))

    @staticmethod
    def told(designs: Mapping[Place, Design]) -> dict[str, str]:
        return told_sizes(designs, {"algo": "lokr"}, "lycoris.kohya")


@dataclass(frozen=True)
class LokrDesign:
    """One product; `small` is the shape of its small matrix. Without a rank the other is whole, and has no alpha:
    loaders then take the product as it is."""

    small: tuple[int, int]
    rank: int | None
    alpha: float | None

    def shapes(self, place: Place) -> dict[str, Shape]:
        m, n = self.small
        out, inside, *kernel = place.shape
        if self.rank is None:
            return {SMALL: (m, n), WHOLE: (out // m, inside // n, *kernel)}
        return {SMALL: (m, n), LEFT: (out // m, self.rank), RIGHT: (self.rank, place.inside // n)}

    def build(self, frozen: nn.Module, place: Place) -> WeightLayer:
        from lib_trainer.trainables.weight_layers import WeightLayer

        scale = None if self.rank is None or self.alpha is None else self.alpha / self.rank

        def delta(named: Named, weight: Tensor) -> Tensor:
            if scale is None:
                return lokr_delta(named[SMALL], named[WHOLE].flatten(1), place.shape)
            return lokr_delta(named[SMALL] * scale, named[LEFT] @ named[RIGHT], place.shape)

        return WeightLayer(frozen, self, place, delta)

    def start(self, trained: Mapping[str, nn.Parameter], weight: Tensor, generator: torch.Generator) -> None:
        from lib_trainer.trainables.lora_layers import spread_as_new

        for name in (SMALL, LEFT):  # what is not spread is nought
            if name in trained:
                spread_as_new(trained[name], generator)
