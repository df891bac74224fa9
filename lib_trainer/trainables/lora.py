"""LoRA (Hu et al., 2021) on the linear layers and, where asked for, the convolutions of a model."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from lib_trainer.core.options import option
from lib_trainer.trainables.lora_shapes import outline_lora

if TYPE_CHECKING:
    import torch

    from lib_trainer.models.model import Model
    from lib_trainer.models.outline import Outline
    from lib_trainer.trainables.base import Network, NetworkOutline


@dataclass(frozen=True)
class Lora:
    """A small file that changes a model: low-rank additions to its layers."""

    families: ClassVar[tuple[str, ...]] = ("sd1", "sd2", "sdxl")

    rank: int = option(
        16, "Size of the additions: more can learn more, and needs more pictures.", ge=1, le=1024, group="first"
    )
    alpha: float = option(16.0, "Strength of the additions; they are scaled by alpha / rank.", ge=0.001, le=4096)
    conv_rank: int = option(0, "Rank of the 3x3 convolutions' additions; 0 leaves convolutions alone.", ge=0, le=1024)
    conv_alpha: float = option(1.0, "Strength of the convolutions' additions.", ge=0.001, le=4096)
    dropout: float = option(0.0, "Chance that one of the rank's values is left out at each step.", ge=0, le=0.95)

    def attach(self, model: Model, parts: Collection[str], seed: int) -> Network:
        from lib_trainer.trainables.lora_network import start_network

        return start_network(self, model, parts, seed)

    def outline(self, model: Outline, parts: Collection[str], original_names: bool) -> NetworkOutline:
        return outline_lora(self, model, parts, original_names)

    @staticmethod
    def recognises(names: Collection[str]) -> bool:
        return any(name.endswith(".lora_down.weight") for name in names)

    @staticmethod
    def open(model: Model, tensors: Mapping[str, torch.Tensor]) -> Network:
        from lib_trainer.trainables.lora_network import open_network

        return open_network(model, tensors)
