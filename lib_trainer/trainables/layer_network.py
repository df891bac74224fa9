"""The layers of a network on one model: started anew or from a file, and opened from a file's tensors."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from lib_trainer.core.errors import ConfigError, ModelError
from lib_trainer.trainables.file_names import in_kohya_names, read_network
from lib_trainer.trainables.places import MAP, Place, places_of_model

if TYPE_CHECKING:
    from lib_trainer.models.model import Model
    from lib_trainer.trainables.base import Network
    from lib_trainer.trainables.layered import Design, LayeredOptions
    from lib_trainer.trainables.weight_layers import Layer


class LayerNetwork:
    """Layers by their place; `told` is what the file's header says of them."""

    def __init__(self, layers: dict[Place, Layer], told: dict[str, str]) -> None:
        self._layers, self._told = layers, told
        self.matched = len(layers)

    def parameters(self, part: str) -> list[nn.Parameter]:
        return [tensor for place, layer in self._layers.items() if place.part == part for tensor in layer.parameters()]

    def groups(self, part: str) -> list[tuple[float, list[nn.Parameter]]]:
        groups: dict[float, list[nn.Parameter]] = {}
        for place, layer in self._layers.items():
            if place.part == part:
                for name, tensor in layer.trained.items():
                    groups.setdefault(layer.rate_factor(name), []).append(tensor)
        return list(groups.items())

    def tensors(self) -> dict[str, Tensor]:
        return {
            f"{place.name}.{suffix}": tensor
            for place, layer in self._layers.items()
            for suffix, tensor in layer.tensors().items()
        }

    def metadata(self) -> dict[str, str]:
        return self._told

    def load_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        for place, layer in self._layers.items():
            for suffix, tensor in layer.trained.items():
                tensor.data.copy_(tensors[f"{place.name}.{suffix}"])

    def set_strength(self, strength: float) -> None:
        for layer in self._layers.values():
            layer.set_strength(strength)

    def train(self, training: bool) -> None:
        for layer in self._layers.values():
            layer.train(training)

    def settle(self) -> None:
        for layer in self._layers.values():
            layer.settle()

    def detach(self) -> None:
        for layer in self._layers.values():
            layer.release()


def start_network(options: LayeredOptions, model: Model, parts: Collection[str], seed: int) -> LayerNetwork:
    """New layers on the wanted parts, with weights that depend on the seed alone, or those of `start_from`.

    Raises:
        ConfigError: a part has nothing to ride on, or the file to start from is of another kind or of other sizes.
        ModelError: that file can't be read.
    """
    modules: dict[Place, Any] = {place: module for module, place in places_of_model(model, parts)}
    designs = options.designs(modules.keys())
    options.check_parts(designs, parts)
    generator = torch.Generator().manual_seed(seed)
    layers = {}
    for place, design in designs.items():
        layers[place] = design.build(modules[place], place)
        design.start(layers[place].trained, modules[place].weight, generator)
    network = LayerNetwork(layers, options.told(designs))
    if options.start_from is not None:
        go_on_from(options.start_from, model, network)
    return network


def go_on_from(path: Path, model: Model, network: Network) -> None:
    """Give a network the values of a file.

    Raises:
        ConfigError: the file is of another kind or of other sizes; the network is detached then.
        ModelError: it can't be read.
    """
    found, wanted = in_kohya_names(model, read_network(path)), network.tensors()
    odd = sorted(found.keys() ^ wanted.keys())
    odd += [name for name in wanted.keys() & found.keys() if not _equals(wanted[name], found[name])]
    if odd:
        name = odd[0]
        network.detach()
        raise ConfigError(
            f"'trainable.start_from' is {path}; {len(odd)} of its tensors are not those of the network that is to be "
            f"trained: {name} is {_said(found.get(name))} there and {_said(wanted.get(name))} here. Give the options "
            "of the network (its kind, sizes and parts), or another file."
        )
    network.load_tensors(found)


def _equals(wanted: Tensor, found: Tensor) -> bool:
    """Of shapes; an alpha must be the same value, but for what the file's number format rounds."""
    return wanted.shape == found.shape and (wanted.ndim > 0 or torch.equal(wanted.to(found.dtype), found))


def _said(tensor: Tensor | None) -> str:
    if tensor is None:
        return "missing"
    return f"{tensor.item():g}" if tensor.ndim == 0 else "x".join(str(size) for size in tensor.shape)


def open_network(kind: type[LayeredOptions], model: Model, tensors: Mapping[str, Tensor]) -> LayerNetwork:
    """The network of a file, attached.

    Raises:
        ModelError: a tensor fits no module, or not its shape; the message says how many and which first.
    """
    parted: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        stem, _, suffix = name.partition(".")
        parted.setdefault(stem, {})[suffix] = tensor
    unused, fitting = set(tensors), dict[str, Tensor]()
    designs: dict[Place, Design] = {}
    modules: dict[Place, nn.Module] = {}
    for module, place in places_of_model(model, model.parts):
        found = {suffix: _as_matrix(place, tensor) for suffix, tensor in parted.get(place.name, {}).items()}
        design = kind.design_of(place, found) if found else None
        if found and design is not None and _is_whole(design, place, found):
            designs[place], modules[place] = design, module
            unused -= {f"{place.name}.{suffix}" for suffix in found}
            fitting |= {f"{place.name}.{suffix}": tensor for suffix, tensor in found.items()}
    if unused:
        some = ", ".join(sorted(unused)[:3])
        raise ModelError(f"{len(unused)} of {len(tensors)} tensors of the network fit no layer of {model.path.name} "
                         f"({some}); it was made for another kind or size of model.")
    layers = {place: design.build(modules[place], place) for place, design in designs.items()}
    network = LayerNetwork(layers, kind.told(designs))
    network.load_tensors(fitting)
    return network


def _as_matrix(place: Place, tensor: Tensor) -> Tensor:
    """A linear layer's tensor as a matrix; kohya's files of Stable Diffusion 2 have some as 1x1 convolutions."""
    is_small = tensor.ndim == MAP and tensor.shape[2:] == (1, 1)
    return tensor.flatten(1) if is_small and len(place.shape) < MAP else tensor


def _is_whole(design: Design, place: Place, found: Mapping[str, Tensor]) -> bool:
    shapes = {suffix: tuple(tensor.shape) for suffix, tensor in found.items() if suffix != "alpha"}
    return shapes == design.shapes(place)
