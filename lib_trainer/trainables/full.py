"""Full fine-tuning: the model's own weights are trained, and the result is a whole checkpoint."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, ClassVar

from lib_trainer.core.errors import ConfigError
from lib_trainer.core.options import option
from lib_trainer.core.outputs import Output
from lib_trainer.trainables.base import Network, NetworkOutline, Shape
from lib_trainer.trainables.parts import RATES, is_in_part, part_of_model

if TYPE_CHECKING:
    import torch

    from lib_trainer.models.model import Model
    from lib_trainer.models.outline import Outline

UNET = "model.diffusion_model."  # begins the names of each family's U-Net in files of the original layout
WORDS = "embeddings.token_embedding"
TEXT_LAYER = re.compile(r"(.*?)encoder\.layers\.(\d+)\.")


@dataclass(frozen=True)
class Full:
    """The model itself: the most to learn, the most memory, and a whole checkpoint as the result."""

    families: ClassVar[tuple[str, ...]] = ("sd1", "sd2", "sdxl")
    reaches_text_encoder: ClassVar[bool] = True
    output: ClassVar[Output] = "checkpoint"

    layers: tuple[str, ...] = option(
        (), "Only layers with one of these in their name, such as 'attn2' or 'up_blocks.1*attentions' (* stands for "
        "anything); none means all."
    )  # fmt: skip
    frozen_layers: tuple[str, ...] = option((), "Layers with one of these in their name are left as they are.")
    text_layers: int | None = option(
        None, "Trains only so many of a text encoder's layers, the last ones, and what lies behind them; empty trains "
        "all.", ge=1, le=64,
    )  # fmt: skip
    word_table: bool = option(
        False, "Whether the text encoder's table of words is trained too; a word that no caption has only decays."
    )

    def attach(self, model: Model, parts: Collection[str], seed: int) -> Network:
        from lib_trainer.trainables.model_weights import ModelWeights

        names = {part: list(dict(model.parts[part_of_model(part)].named_parameters())) for part in parts}
        weights = ModelWeights(model, self.chosen(names))
        weights.start()
        return weights

    def outline(self, model: Outline, parts: Collection[str], original_names: bool) -> NetworkOutline:
        shapes: dict[str, dict[str, Shape]] = {}
        for part in parts:
            whole = part_of_model(part)
            shapes[part] = dict(_parameters(model.modules[whole], whole, model.biased))
        chosen = self.chosen({part: list(named) for part, named in shapes.items()})
        file = {
            f"{part_of_model(part)}.{name}": shapes[part][name] for part, names in chosen.items() for name in names
        }
        return NetworkOutline(list(file.values()), file, {})

    def chosen(self, names: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
        """Of the tensors of each part, those that are trained.

        Raises:
            ConfigError: a pattern is in no layer's name, or nothing of a part is left.
        """
        known = {part: [name for name in those if is_in_part(part, name)] for part, those in names.items()}
        self._check_patterns([f"{part_of_model(part)}.{name}" for part, those in known.items() for name in those])
        chosen = {}
        for part, those in known.items():
            first = self._first_layers(those)
            chosen[part] = [name for name in those if self._is_trained(part_of_model(part), name, first)]
            if not chosen[part]:
                raise ConfigError(
                    f"'trainable' full trains nothing of the {part} with these options; set '{RATES[part]}' to 0 to "
                    "leave that part alone, or give other layers."
                )
        return chosen

    def _is_trained(self, part: str, name: str, first: Mapping[str, int]) -> bool:
        full = f"{part}.{name}"
        if WORDS in name and not self.word_table:
            return False
        if self.layers and not any(_fits(full, pattern) for pattern in self.layers):
            return False
        if any(_fits(full, pattern) for pattern in self.frozen_layers):
            return False
        if part == "unet" or self.text_layers is None or WORDS in name:
            return True
        layer = TEXT_LAYER.match(name)
        return int(layer[2]) >= first[layer[1]] if layer else "embeddings." not in name

    def _first_layers(self, names: Iterable[str]) -> dict[str, int]:
        """The number of the first layer that is trained, of each encoder by what stands before its layers."""
        last: dict[str, int] = {}
        for layer in filter(None, map(TEXT_LAYER.match, names)):
            last[layer[1]] = max(int(layer[2]), last.get(layer[1], 0))
        return {encoder: number + 1 - (self.text_layers or number + 1) for encoder, number in last.items()}

    def _check_patterns(self, names: list[str]) -> None:
        for option_name, patterns in (("layers", self.layers), ("frozen_layers", self.frozen_layers)):
            for pattern in patterns:
                if not any(_fits(name, pattern) for name in names):
                    raise ConfigError(
                        f"'trainable.{option_name}' has {pattern!r}, which is in the name of no layer that could be "
                        f"trained; names are such as {', '.join(names[:2])}."
                    )

    @staticmethod
    def recognises(names: Collection[str]) -> bool:
        return any(name.startswith(UNET) for name in names)

    @staticmethod
    def open(model: Model, tensors: Mapping[str, torch.Tensor], told: Mapping[str, str]) -> Network:
        from lib_trainer.trainables.model_weights import open_weights

        return open_weights(model, tensors)


def _parameters(
    modules: Mapping[str, Shape], part: str, biased: Collection[str]
) -> Iterator[tuple[str, Shape]]:
    for path, shape in modules.items():
        yield f"{path}.weight", tuple(shape)
        if f"{part}.{path}" in biased:
            yield f"{path}.bias", tuple(shape[:1])


def _fits(name: str, pattern: str) -> bool:
    return fnmatchcase(name, f"*{pattern}*")
