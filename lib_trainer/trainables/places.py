"""The places in a model that a network can ride on: layers and norms of its attention and its residual blocks."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lib_trainer.trainables.base import Shape
from lib_trainer.trainables.parts import is_in_part, part_of_model

if TYPE_CHECKING:
    from torch import nn

    from lib_trainer.models.model import Model
    from lib_trainer.models.outline import Outline

# Names that the wanted blocks have in the path of what is inside them.
ATTENTION_BLOCKS = frozenset({"attentions", "self_attn", "mlp"})
CONV_BLOCKS = frozenset({"resnets", "downsamplers", "upsamplers"})
# Text encoders whose q, k and v are one matrix in the WebUI, by the start of their modules' paths: it changes their
# weights one by one, but none of their biases.
JOINED = {"sd2": "", "sdxl": "second."}
JOINED_LAYERS = ("q_proj", "k_proj", "v_proj")
MATRIX, MAP = 2, 4  # dimensions of the weights of linear layers and of convolutions; those of norms have one


@dataclass(frozen=True)
class Place:
    """One module: its part, its name in kohya's files, and the shape of its weight [out, in, ...], a norm's [width].

    `biased` says whether it has a bias that networks can change.
    """

    part: str
    name: str
    shape: Shape
    biased: bool
    in_conv_block: bool

    @property
    def is_norm(self) -> bool:
        return len(self.shape) < MATRIX

    @property
    def is_large(self) -> bool:
        """Whether it is a convolution of more than one pixel."""
        return self.shape[MATRIX:] not in ((), (1, 1))

    @property
    def inside(self) -> int:
        """Values of the weight for one output."""
        count = 1
        for size in self.shape[1:]:
            count *= size
        return count


def places_of_outline(model: Outline, parts: Collection[str]) -> Iterator[tuple[str, Place]]:
    """The places of those parts, each with its module's path."""
    for part in parts:
        whole = part_of_model(part)
        for path, shape in model.modules[whole].items():
            block = _block(path)
            if block and is_in_part(part, path):
                biased = f"{whole}.{path}" in model.biased and not _is_joined(model.family, whole, path)
                name = model.names.network_name(whole, path)
                yield path, Place(part, name, tuple(shape), biased, block in CONV_BLOCKS)


def places_of_model(model: Model, parts: Collection[str]) -> Iterator[tuple[nn.Module, Place]]:
    """The same of a loaded model, each with its module, in the model's order."""
    from torch import nn

    for part in parts:
        whole = part_of_model(part)
        for path, module in model.parts[whole].named_modules():
            block = _block(path) if is_in_part(part, path) else None
            if block and isinstance(module, (nn.Linear, nn.Conv2d, nn.LayerNorm, nn.GroupNorm)):
                shape = tuple(module.weight.shape)
                biased = module.bias is not None and not _is_joined(model.family, whole, path)
                yield module, Place(part, model.network_name(whole, path), shape, biased, block in CONV_BLOCKS)


def _block(path: str) -> str | None:
    """The wanted block that a module lies in, by its name in the path."""
    return next((name for name in path.split(".")[:-1] if name in ATTENTION_BLOCKS | CONV_BLOCKS), None)


def _is_joined(family: str, part: str, path: str) -> bool:
    is_theirs = family in JOINED and part == "text_encoder" and path.startswith(JOINED[family])
    return is_theirs and path.endswith(JOINED_LAYERS)
