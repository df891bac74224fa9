"""Hypernetworks: small networks that change what the U-Net's attention reads, before its keys and values are made.

There are two for each width of what attention reads, shared by all the places that read so much: one for the keys, one
for the values, y = x + strength * network(x). Source of the form: the WebUI's `modules/hypernetworks/hypernetwork.py`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from lib_trainer.core.errors import ConfigError
from lib_trainer.core.options import existing, option
from lib_trainer.core.outputs import Output
from lib_trainer.trainables.base import Network, NetworkOutline, Shape
from lib_trainer.trainables.hypernetwork_structure import Activation, Structure, WeightInit
from lib_trainer.trainables.layered import START_HELP

if TYPE_CHECKING:
    from torch import Tensor

    from lib_trainer.models.model import Model
    from lib_trainer.models.outline import Outline

PART = "unet"
KEYS, VALUES = 0, 1  # their numbers in files
# The paths of the layers that make keys and values out of what is read, and what that is.
READERS = {"attn1": "picture", "attn2": "text"}
TENSOR_NAME = re.compile(r"\d+\.[01]\.linear\d*\..+")
What = Literal["all", "text", "picture"]


@dataclass(frozen=True)
class Hypernetwork:
    """Small networks before the U-Net's attention: an older way for styles; only AUTOMATIC1111 reads the file."""

    families: ClassVar[tuple[str, ...]] = ("sd1", "sd2")
    reaches_text_encoder: ClassVar[bool] = False
    output: ClassVar[Output] = "hypernetwork"

    layer_sizes: tuple[float, ...] = option(
        (1.0, 2.0, 1.0),
        "Sizes of the layers as multiples of what they read, the first and last 1: '1, 2, 1' has one hidden layer "
        "twice as wide. More and wider layers learn more, and slower.",
        ge=0.125,
        le=16,
    )
    activation: Activation = option("linear", "What lies between the layers; with 'linear' nothing does.")
    weight_init: WeightInit = option(
        "Normal", "How the first values of the layers are drawn; those of the last are 0, so that it starts unnoticed."
    )
    layer_norm: bool = option(False, "Whether each layer's output is normalised; calmer, and often weaker.")
    hidden_dropout: float = option(
        0.0, "Chance that one of a hidden layer's values is left out at each step.", ge=0, le=0.95
    )
    reads: What = option(
        "all",
        "Whether it changes what the model reads of the prompt ('text'), what it reads of the picture so far "
        "('picture'), or both.",
    )
    start_from: Path | None = existing(None, START_HELP)

    def __post_init__(self) -> None:
        said = ", ".join(f"{size:g}" for size in self.layer_sizes)
        if len(self.layer_sizes) < 2 or self.layer_sizes[0] != 1 or self.layer_sizes[-1] != 1:
            raise ConfigError(
                f"'trainable.layer_sizes' is {said or 'empty'}; the first and the last must be 1, as in '1, 2, 1'."
            )

    @property
    def structure(self) -> Structure:
        """The small networks, as the file tells of them."""
        sizes = tuple(int(size) if size == int(size) else size for size in self.layer_sizes)
        dropouts = (0.0, *(self.hidden_dropout for _ in sizes[2:]), 0.0)
        return Structure(sizes, self.activation, self.weight_init, self.layer_norm, False, dropouts)

    def attach(self, model: Model, parts: Collection[str], seed: int) -> Network:
        from lib_trainer.trainables.hypernetwork_layers import start_hypernetwork

        _check_parts(parts)
        return start_hypernetwork(self, model, seed)

    def outline(self, model: Outline, parts: Collection[str], original_names: bool) -> NetworkOutline:
        _check_parts(parts)
        found = {shape[1] for path, shape in model.modules[PART].items() if reader(path, self.reads) is not None}
        file: dict[str, Shape] = {}
        for width in sorted(found):
            for number in (KEYS, VALUES):
                shapes = self.structure.shapes(width)
                file |= {f"{width}.{number}.{name}": shape for name, shape in shapes.items()}
        return NetworkOutline(list(file.values()), file, self.structure.told())

    @staticmethod
    def recognises(names: Collection[str]) -> bool:
        return bool(names) and all(TENSOR_NAME.fullmatch(name) for name in names)

    @staticmethod
    def open(model: Model, tensors: Mapping[str, Tensor], told: Mapping[str, str]) -> Network:
        from lib_trainer.trainables.hypernetwork_layers import open_hypernetwork

        return open_hypernetwork(model, tensors, told)


def reader(path: str, what: What) -> int | None:
    """Whether a module of the U-Net makes keys or values out of what is read there, or neither."""
    *_, attention, layer = ("", *path.split("."))
    if attention not in READERS or what not in ("all", READERS[attention]):
        return None
    return {"to_k": KEYS, "to_v": VALUES}.get(layer)


def _check_parts(parts: Collection[str]) -> None:
    odd = set(parts) - {PART}
    if odd:
        raise ConfigError(
            "'trainable' hypernetwork finds nothing to ride on in the text_encoder; set 'text_encoder_learning_rate' "
            "to 0 to leave that part alone, or choose another trainable."
        )
    if PART not in parts:
        raise ConfigError("'learning_rate' is 0, but a hypernetwork rides on the U-Net alone; give a rate, as 1e-5.")
