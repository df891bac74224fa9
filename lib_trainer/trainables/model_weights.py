"""A model's own weights as what is trained: in 32 bits, in their places."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from lib_trainer.core.errors import ModelError
from lib_trainer.trainables.parts import part_of_model

if TYPE_CHECKING:
    from lib_trainer.models.model import Model


class ModelWeights:
    """The trained weights by part and by their names there, as `unet` and `conv_in.weight`."""

    def __init__(self, model: Model, chosen: Mapping[str, list[str]]) -> None:
        """Take the model's weights of those names, as they are."""
        self._model, self._strength = model, 1.0
        self._trained: dict[str, dict[str, nn.Parameter]] = {}
        self._aside: dict[str, Tensor] | None = None  # the trained values while a model in between is in the places
        self._base: dict[str, Tensor] | None = None
        for part, names in chosen.items():
            known = dict(model.parts[part_of_model(part)].named_parameters())
            self._trained[part] = {name: known[name] for name in names}
        self.matched = len({name.rpartition(".")[0] for name in self._named()})

    def start(self) -> None:
        """Let them be trained, in 32 bits: updates are smaller than what 16 tell apart."""
        for weight in self._named().values():
            weight.data = weight.data.float()
            weight.requires_grad_(True)

    def _named(self) -> dict[str, nn.Parameter]:
        return {
            f"{part_of_model(part)}.{name}": weight
            for part, weights in self._trained.items()
            for name, weight in weights.items()
        }

    def parameters(self, part: str) -> list[nn.Parameter]:
        return list(self._trained.get(part, {}).values())

    def groups(self, part: str) -> list[tuple[float, list[nn.Parameter]]]:
        return [(1.0, self.parameters(part))]

    def tensors(self) -> dict[str, Tensor]:
        """The trained weights by our names: what a state keeps; the file is the whole model's."""
        return {name: weight.detach() for name, weight in self._named().items()}

    def metadata(self) -> dict[str, str]:
        return {}

    def load_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        for name, weight in self._named().items():
            weight.data.copy_(tensors[name])

    def set_strength(self, strength: float) -> None:
        """0 is the model as it was loaded, 1 what was trained; between them the weights lie in between."""
        if strength == self._strength:
            return
        weights = self._named()
        if self._aside is None:
            self._aside = {name: weight.data for name, weight in weights.items()}
        for name, weight in weights.items():
            trained = self._aside[name]
            base = self._base_weights()[name].to(weight.device, trained.dtype)
            ends: dict[float, Tensor] = {0.0: base, 1.0: trained}
            weight.data = ends[strength] if strength in ends else base + strength * (trained - base)
        if strength == 1:
            self._aside = None
        self._strength = strength

    def _base_weights(self) -> dict[str, Tensor]:
        """The weights as they are in the model's file, which is read again for them."""
        if self._base is None:
            from lib_trainer.models.loading import load_model

            again = load_model(self._model.path, torch.float32, torch.device("cpu"))
            names = {part: dict(module.named_parameters()) for part, module in again.parts.items()}
            wanted = (name.partition(".") for name in self._named())
            self._base = {f"{part}.{name}": names[part][name].data.float() for part, _, name in wanted}
        return self._base

    def train(self, training: bool) -> None:
        """There is no dropout."""

    def settle(self) -> None:
        """Nothing is due."""

    def detach(self) -> None:
        self.set_strength(0)
        for weight in self._named().values():
            weight.requires_grad_(False)


def open_weights(model: Model, tensors: Mapping[str, Tensor]) -> ModelWeights:
    """A model's weights, with the values of a checkpoint's tensors.

    Raises:
        ModelError: the checkpoint lacks some of them, or they have other shapes.
    """
    found = model.in_parts(tensors)
    names = {part: list(dict(module.named_parameters())) for part, module in model.parts.items()}
    shapes = {f"{part}.{name}": model.parts[part].get_parameter(name).shape for part in names for name in names[part]}
    odd = [name for name, shape in shapes.items() if name not in found or found[name].numel() != shape.numel()]
    if odd:
        raise ModelError(
            f"{len(odd)} of the {len(shapes)} weights of {model.path.name} are not in the checkpoint, or of another "
            f"size there ({', '.join(odd[:3])}); it is of another kind or size of model."
        )
    weights = ModelWeights(model, names)
    weights.load_tensors({name: found[name].reshape(shape) for name, shape in shapes.items()})
    return weights
