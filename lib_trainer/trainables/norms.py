"""Differences of the norms' weights and biases alone: a tiny file for tones and contrasts.

Only of the U-Net: Forge knows no norms of text encoders, and refuses a file that has many of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from lib_trainer.core.options import existing
from lib_trainer.trainables.base import Shape
from lib_trainer.trainables.layered import START_HELP, Design, LayeredOptions
from lib_trainer.trainables.places import Place

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from lib_trainer.trainables.weight_layers import NormLayer

WEIGHT, BIAS = "w_norm", "b_norm"


@dataclass(frozen=True)
class Norms(LayeredOptions):
    """Only the U-Net's norms: a tiny file that changes tones, contrasts and little else."""

    marks: ClassVar[tuple[str, ...]] = (WEIGHT,)
    reaches_text_encoder: ClassVar[bool] = False

    start_from: Path | None = existing(None, START_HELP)

    def design(self, place: Place) -> NormDesign | None:
        return NormDesign() if place.is_norm and place.part == "unet" else None

    @staticmethod
    def design_of(place: Place, found: Mapping[str, Tensor]) -> NormDesign | None:
        return NormDesign() if place.is_norm and WEIGHT in found else None

    @staticmethod
    def told(designs: Mapping[Place, Design]) -> dict[str, str]:
        return {"ss_network_module": "lycoris.kohya", "ss_network_args": '{"algo": "full", "train_norm": "True"}'}


@dataclass(frozen=True)
class NormDesign:
    """The difference of one norm."""

    rank: ClassVar[None] = None
    alpha: ClassVar[None] = None

    def shapes(self, place: Place) -> dict[str, Shape]:
        return {WEIGHT: place.shape, BIAS: place.shape}

    def build(self, frozen: nn.Module, place: Place) -> NormLayer:
        from lib_trainer.trainables.weight_layers import NormLayer

        return NormLayer(frozen, place)

    def start(self, trained: Mapping[str, nn.Parameter], weight: Tensor, generator: torch.Generator) -> None:
        """Differences begin with nought."""
