"""Networks that put one small layer on each of many places of a model; a method says what it puts where."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

from lib_trainer.core.errors import ConfigError
from lib_trainer.core.outputs import Output
from lib_trainer.trainables.base import Network, NetworkOutline, Shape
from lib_trainer.trainables.parts import RATES, part_of_model
from lib_trainer.trainables.places import Place, places_of_outline

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from lib_trainer.models.model import Model
    from lib_trainer.models.outline import Outline
    from lib_trainer.trainables.weight_layers import Layer

Named = dict[str, "Tensor"]
START_HELP = "A network file of the same kind and sizes that training goes on from; empty starts anew."


class Design(Protocol):
    """What is put on one place. Tensors are known by the last part of their name in files, as "lora_up.weight"."""

    @property
    def rank(self) -> int | None:
        """What the header calls its size, if it has one."""

    @property
    def alpha(self) -> float | None:
        """What the file holds as alpha, if it does."""

    def shapes(self, place: Place) -> dict[str, Shape]:
        """The trained tensors."""

    def build(self, frozen: nn.Module, place: Place) -> Layer:
        """The layer, attached to the module."""

    def start(self, trained: Mapping[str, nn.Parameter], weight: Tensor, generator: torch.Generator) -> None:
        """Give the trained tensors of a new layer, all nought, their first values; with them it adds nothing."""


class LayeredOptions:
    """The base of the options of such networks: all but what a method puts where."""

    families: ClassVar[tuple[str, ...]] = ("sd1", "sd2", "sdxl")
    reaches_text_encoder: ClassVar[bool] = True
    output: ClassVar[Output] = "lora"
    marks: ClassVar[tuple[str, ...]]  # last parts of names that files of this kind have
    foreign: ClassVar[tuple[str, ...]] = ()  # and those that they don't have
    start_from: Path | None

    def design(self, place: Place) -> Design | None:
        """What a new network puts there, or None."""
        raise NotImplementedError

    @staticmethod
    def design_of(place: Place, found: Mapping[str, Tensor]) -> Design | None:
        """What made these tensors of a file (alpha included), or None if they don't fit the place."""
        raise NotImplementedError

    @staticmethod
    def told(designs: Mapping[Place, Design]) -> dict[str, str]:
        """What the file's header says of it."""
        raise NotImplementedError

    def designs(self, places: Collection[Place]) -> dict[Place, Design]:
        """What a new network puts on each of the places that it rides on."""
        return {place: design for place in places if (design := self.design(place)) is not None}

    def attach(self, model: Model, parts: Collection[str], seed: int) -> Network:
        from lib_trainer.trainables.layer_network import start_network

        return start_network(self, model, parts, seed)

    def outline(self, model: Outline, parts: Collection[str], original_names: bool) -> NetworkOutline:
        named = list(places_of_outline(model, parts))
        designs = self.designs([place for _, place in named])
        self.check_parts(designs, parts)
        trained: list[Shape] = []
        file: dict[str, Shape] = {}
        for path, place in named:
            if place in designs:
                whole = part_of_model(place.part)
                name = model.names.original_network_name(whole, path) if original_names else place.name
                shapes = designs[place].shapes(place)
                trained += shapes.values()
                file |= {f"{name}.{suffix}": shape for suffix, shape in shapes.items()}
                if designs[place].alpha is not None:
                    file[f"{name}.alpha"] = ()
        return NetworkOutline(trained, file, self.told(designs))

    @classmethod
    def recognises(cls, names: Collection[str]) -> bool:
        suffixes = {name.partition(".")[2] for name in names}
        return suffixes.issuperset(cls.marks) and suffixes.isdisjoint(cls.foreign)

    @classmethod
    def open(cls, model: Model, tensors: Mapping[str, Tensor], told: Mapping[str, str]) -> Network:
        from lib_trainer.trainables.layer_network import open_network

        return open_network(cls, model, tensors)

    def check_parts(self, designs: Collection[Place], parts: Collection[str]) -> None:
        """Check that each part has something to ride on.

        Raises:
            ConfigError: one has not.
        """
        for part in parts:
            if not any(place.part == part for place in designs):
                raise ConfigError(
                    f"'trainable' {type(self).__name__.lower()} finds nothing to ride on in the {part} with these "
                    f"options; set '{RATES[part]}' to 0 to leave that part alone, or choose another trainable."
                )


def told_sizes(designs: Mapping[Place, Design], arguments: Mapping[str, str], module: str) -> dict[str, str]:
    """What the header says of ranks and alphas, in kohya's keys; where they differ it says "Dynamic"."""
    large = [design for place, design in designs.items() if place.is_large]
    plain = [design for place, design in designs.items() if not place.is_large] or large
    args = dict(arguments)
    if large:
        args |= {"conv_dim": _one({each.rank for each in large}), "conv_alpha": _one({each.alpha for each in large})}
    told = {
        "ss_network_module": module,
        "ss_network_dim": _one({each.rank for each in plain}),
        "ss_network_alpha": _one({each.alpha for each in plain}),
    }
    if args:
        import json

        told["ss_network_args"] = json.dumps(args)
    return told


def _one(values: Collection[object]) -> str:
    return str(next(iter(values))) if len(values) == 1 else "Dynamic"
