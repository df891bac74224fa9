"""LoKr: the Kronecker product of a small matrix and a larger one, the latter of low rank (KronA; Edalati et al., 2022,
with LyCORIS's factors; Yeh et al., 2024)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lib_trainer.core.options import existing, option
from lib_trainer.trainables.base import Shape
from lib_trainer.trainables.layered import START_HELP, Design, LayeredOptions, told_sizes
from lib_trainer.trainables.places import Place
from lib_trainer.trainables.tucker import TUCKER_HELP, tucker_product

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from lib_trainer.trainables.layered import Named
    from lib_trainer.trainables.weight_layers import WeightLayer

SMALL, SMALL_LEFT, SMALL_RIGHT = "lokr_w1", "lokr_w1_a", "lokr_w1_b"
WHOLE, LEFT, RIGHT, CORE = "lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t2"
WORTH = 2  # a matrix has two factors only where their rank is below this part of its longer side


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

    rank: int = option(
        16, "Size of the additions: more can learn more, and needs more pictures.", ge=1, le=1024, group="first"
    )
    alpha: float = option(16.0, "Strength of the additions; they are scaled by alpha / rank.", ge=0.001, le=4096)
    factor: int = option(8, "Largest side of the small matrix; 0 takes the squarest split there is.", ge=0, le=128)
    full: bool = option(False, "Keeps the larger matrix whole everywhere, whatever the rank; its scale is then 1.")
    convolutions: bool = option(False, "Whether convolutions and what is around them are changed too.")
    factor_both: bool = option(False, "The small matrix has two factors too, where that makes it smaller.")
    tucker: bool = option(False, TUCKER_HELP)
    start_from: Path | None = existing(None, START_HELP)

    def design(self, place: Place) -> LokrDesign | None:
        if place.is_norm or (place.in_conv_block and not self.convolutions):
            return None
        (m, out), (n, inside) = split_size(place.shape[0], self.factor), split_size(place.shape[1], self.factor)
        whole = self.full or self.rank >= max(out, inside) / WORTH
        factors = self.factor_both and self.rank < max(m, n) / WORTH
        if whole and not factors:
            return LokrDesign((m, n), None, None)
        has_core = self.tucker and place.is_large and not whole
        return LokrDesign((m, n), self.rank, self.alpha, Form(factors, whole, has_core))

    @classmethod
    def recognises(cls, names: Collection[str]) -> bool:
        return any(name.partition(".")[2].startswith("lokr_w1") for name in names)

    @staticmethod
    def design_of(place: Place, found: Mapping[str, Tensor]) -> LokrDesign | None:
        if SMALL_LEFT in found and SMALL_RIGHT in found:
            m, n = found[SMALL_LEFT].shape[0], found[SMALL_RIGHT].shape[1]
        elif SMALL in found:
            m, n = found[SMALL].shape
        else:
            return None
        form = Form(SMALL not in found, WHOLE in found, CORE in found)
        ranked = found.get(RIGHT, found.get(SMALL_RIGHT))
        if ranked is None or place.shape[0] % m or place.shape[1] % n:
            return LokrDesign((m, n), None, None)
        return LokrDesign((m, n), ranked.shape[0], float(found.get("alpha", ranked.shape[0])), form)

    @staticmethod
    def told(designs: Mapping[Place, Design]) -> dict[str, str]:
        return told_sizes(designs, {"algo": "lokr"}, "lycoris.kohya")


@dataclass(frozen=True)
class Form:
    """Which of the two matrices are made of factors: the small one, the larger one; that one with a core between."""

    small_factors: bool = False
    large_whole: bool = False
    has_core: bool = False


@dataclass(frozen=True)
class LokrDesign:
    """One product; `small` is the shape of its small matrix. Without a rank both are whole, and there is no alpha:
    loaders then take the product as it is."""

    small: tuple[int, int]
    rank: int | None
    alpha: float | None
    form: Form = Form()

    def shapes(self, place: Place) -> dict[str, Shape]:
        m, n = self.small
        out, inside, *kernel = place.shape
        shapes: dict[str, Shape] = {SMALL: (m, n)}
        if self.rank is not None and self.form.small_factors:
            shapes = {SMALL_LEFT: (m, self.rank), SMALL_RIGHT: (self.rank, n)}
        if self.rank is None or self.form.large_whole:
            return {**shapes, WHOLE: (out // m, inside // n, *kernel)}
        if self.form.has_core:
            core = (self.rank, self.rank, *kernel)
            return {**shapes, LEFT: (self.rank, out // m), RIGHT: (self.rank, inside // n), CORE: core}
        return {**shapes, LEFT: (out // m, self.rank), RIGHT: (self.rank, place.inside // n)}

    def build(self, frozen: nn.Module, place: Place) -> WeightLayer:
        from lib_trainer.trainables.weight_layers import WeightLayer

        scale = None if self.rank is None or self.alpha is None else self.alpha / self.rank

        def delta(named: Named, weight: Tensor) -> Tensor:
            small = _small(named)
            return lokr_delta(small if scale is None else small * scale, _large(named), place.shape)

        return WeightLayer(frozen, self, place, delta)

    def start(self, trained: Mapping[str, nn.Parameter], weight: Tensor, generator: torch.Generator) -> None:
        from lib_trainer.trainables.lora_layers import spread_as_new

        for name in (SMALL, SMALL_LEFT, SMALL_RIGHT, LEFT, CORE):  # what is not spread is nought
            if name in trained:
                spread_as_new(trained[name], generator)


def _small(named: Named) -> Tensor:
    return named[SMALL] if SMALL in named else named[SMALL_LEFT] @ named[SMALL_RIGHT]


def _large(named: Named) -> Tensor:
    """[out / m, in / n * kh * kw]."""
    if WHOLE in named:
        return named[WHOLE].flatten(1)
    if CORE in named:
        return tucker_product(named[CORE], named[LEFT], named[RIGHT]).flatten(1)
    return named[LEFT] @ named[RIGHT]
