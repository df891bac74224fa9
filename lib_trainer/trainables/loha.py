"""LoHa: the elementwise product of two low-rank matrices, of rank up to rank squared (FedPara; Hyeon-Woo et al., 2022,
as LyCORIS names it; Yeh et al., 2024)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from lib_trainer.core.options import existing, option
from lib_trainer.trainables.base import Shape
from lib_trainer.trainables.layered import START_HELP, Design, told_sizes
from lib_trainer.trainables.places import Place
from lib_trainer.trainables.ranked import RankedOptions
from lib_trainer.trainables.tucker import TUCKER_HELP, tucker_product

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from lib_trainer.trainables.layered import Named
    from lib_trainer.trainables.weight_layers import WeightLayer

NAMES = ("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b")
CORES = ("hada_t1", "hada_t2")
SMALL = 0.1  # spread of the first matrix at the start, as in LyCORIS; the others' is 1, and the last factor is nought


def loha_delta(named: Mapping[str, Tensor], scale: float) -> Tensor:
    """scale * (A1 B1) * (A2 B2), elementwise: [out, in * kh * kw], of A [out, rank] and B [rank, in * kh * kw].

    With cores it is [out, in, kh, kw], of A [rank, out] and B [rank, in] around them.
    """
    a1, b1, a2, b2 = (named[name] for name in NAMES)
    if CORES[0] in named:
        return tucker_product(named[CORES[0]], a1, b1) * tucker_product(named[CORES[1]], a2 * scale, b2)
    return (a1 @ b1) * ((a2 * scale) @ b2)


@dataclass(frozen=True)
class Loha(RankedOptions):
    """Products of two low-rank additions: a small file that can hold richer changes than a LoRA of its size."""

    marks: ClassVar[tuple[str, ...]] = NAMES

    tucker: bool = option(False, TUCKER_HELP)
    start_from: Path | None = existing(None, START_HELP)

    def design(self, place: Place) -> LohaDesign | None:
        size = self.size(place)
        return LohaDesign(*size, has_cores=self.tucker and place.is_large) if size else None

    @staticmethod
    def design_of(place: Place, found: Mapping[str, Tensor]) -> LohaDesign | None:
        if NAMES[1] not in found:
            return None
        rank = found[NAMES[1]].shape[0]
        return LohaDesign(rank, float(found.get("alpha", rank)), CORES[0] in found)

    @staticmethod
    def told(designs: Mapping[Place, Design]) -> dict[str, str]:
        return told_sizes(designs, {"algo": "loha"}, "lycoris.kohya")


@dataclass(frozen=True)
class LohaDesign:
    """One product."""

    rank: int
    alpha: float
    has_cores: bool = False

    def shapes(self, place: Place) -> dict[str, Shape]:
        if self.has_cores:
            left, right = (self.rank, place.shape[0]), (self.rank, place.shape[1])
            core = (self.rank, self.rank, *place.shape[2:])
            return dict(zip((*NAMES, *CORES), (left, right, left, right, core, core), strict=True))
        a, b = (place.shape[0], self.rank), (self.rank, place.inside)
        return dict(zip(NAMES, (a, b, a, b), strict=True))

    def build(self, frozen: nn.Module, place: Place) -> WeightLayer:
        from lib_trainer.trainables.weight_layers import WeightLayer

        scale = self.alpha / self.rank

        def delta(named: Named, weight: Tensor) -> Tensor:
            return loha_delta(named, scale).view_as(weight)

        return WeightLayer(frozen, self, place, delta)

    def start(self, trained: Mapping[str, nn.Parameter], weight: Tensor, generator: torch.Generator) -> None:
        from lib_trainer.trainables.weight_layers import spread

        for name, deviation in ((NAMES[0], SMALL), (NAMES[1], 1.0), (NAMES[3], 1.0)):
            spread(trained[name], deviation, generator)
        for name in CORES if self.has_cores else ():
            spread(trained[name], SMALL, generator)
