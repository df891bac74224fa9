"""All LoRA layers on one model: which modules get one, and their names in files (kohya's, as the WebUI reads them)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from lib_trainer.core.errors import ConfigError, ModelError
from lib_trainer.trainables.lora_layers import LoraConv, LoraLayer, LoraLinear
from lib_trainer.trainables.lora_shapes import CONV_BLOCKS, FILE_PARTS, LINEAR_BLOCKS, told_shapes

if TYPE_CHECKING:
    from lib_trainer.models.model import Model
    from lib_trainer.trainables.lora import Lora


CONVOLUTION = 4  # sides of its weight


class LoraNetwork:
    """Layers by part and WebUI name."""

    def __init__(self, parts: dict[str, dict[str, LoraLayer]]) -> None:
        self._parts = parts
        self._layers = {name: layer for layers in parts.values() for name, layer in layers.items()}
        self.matched = len(self._layers)

    def parameters(self, part: str) -> list[nn.Parameter]:
        return [tensor for layer in self._parts.get(part, {}).values() for tensor in (layer.down, layer.up)]

    def tensors(self) -> dict[str, Tensor]:
        found = {}
        for name, layer in self._layers.items():
            found[f"{name}.lora_down.weight"] = layer.down.detach()
            found[f"{name}.lora_up.weight"] = layer.up.detach()
            found[f"{name}.alpha"] = torch.tensor(layer.alpha)
        return found

    def metadata(self) -> dict[str, str]:
        convs = [layer for layer in self._layers.values() if layer.down.ndim == 4 and layer.down.shape[-1] > 1]
        linear = next(layer for layer in self._layers.values() if layer not in convs)
        return told_shapes(linear.rank, linear.alpha, (convs[0].rank, convs[0].alpha) if convs else None)

    def load_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        for name, layer in self._layers.items():
            layer.down.data.copy_(tensors[f"{name}.lora_down.weight"])
            layer.up.data.copy_(tensors[f"{name}.lora_up.weight"])

    def set_strength(self, strength: float) -> None:
        for layer in self._layers.values():
            layer.set_strength(strength)

    def train(self, training: bool) -> None:
        for layer in self._layers.values():
            layer.train(training)

    def detach(self) -> None:
        for layer in self._layers.values():
            layer.release()


def start_network(options: Lora, model: Model, parts: Collection[str], seed: int) -> LoraNetwork:
    """New layers on the wanted parts of a model, with weights that depend on the seed alone.

    Raises:
        ConfigError: a part has no layer to ride on.
    """
    generator = torch.Generator().manual_seed(seed)
    layers: dict[str, dict[str, LoraLayer]] = {}
    for part in parts:
        layers[part] = {}
        for name, module in targets(model, part, with_convolutions=options.conv_rank > 0):
            large = isinstance(module, nn.Conv2d) and module.kernel_size != (1, 1)
            rank, alpha = (options.conv_rank, options.conv_alpha) if large else (options.rank, options.alpha)
            layer = _kind(module)(module, rank, alpha, options.dropout)
            layer.start(generator)
            layers[part][name] = layer
        if not layers[part]:
            raise ConfigError(f"The {part} of {model.path.name} has no layer for 'trainable' lora; train another part.")
    return LoraNetwork(layers)


def open_network(model: Model, tensors: Mapping[str, Tensor]) -> LoraNetwork:
    """The network of a file, attached; a missing alpha counts as the rank, as the WebUI has it.

    Raises:
        ModelError: a tensor fits no module, or not its shape; the message says how many and which first.
    """
    layers: dict[str, dict[str, LoraLayer]] = {part: {} for part in model.parts}
    unused = set(tensors)
    fitting = {}
    for part in model.parts:
        for name, module in targets(model, part, with_convolutions=True):
            down, up = (_as_matrix(module, tensors.get(f"{name}.{suffix}")) for suffix in FILE_PARTS[:2])
            if down is not None and up is not None and _fits(module, down, up):
                fitting[part, name] = (module, down, up)
                unused -= {f"{name}.{suffix}" for suffix in FILE_PARTS}
    if unused:
        some = ", ".join(sorted(unused)[:3])
        raise ModelError(f"{len(unused)} of {len(tensors)} tensors of the network fit no layer of {model.path.name} "
                         f"({some}); it was made for another kind or size of model.")
    for (part, name), (module, down, up) in fitting.items():
        alpha = tensors.get(f"{name}.alpha")
        layer = _kind(module)(module, down.shape[0], float(down.shape[0] if alpha is None else alpha))
        layer.down.data.copy_(down)
        layer.up.data.copy_(up)
        layers[part][name] = layer
    return LoraNetwork(layers)


def targets(model: Model, part: str, with_convolutions: bool) -> Iterator[tuple[str, nn.Linear | nn.Conv2d]]:
    """The modules that can have a LoRA layer, by their WebUI name, in the model's order."""
    wanted = {*LINEAR_BLOCKS, *(CONV_BLOCKS if with_convolutions else ())}
    inside: list[str] = []
    for path, module in model.parts[part].named_modules():
        if type(module).__name__ in wanted:
            inside.append(f"{path}.")
        if isinstance(module, (nn.Linear, nn.Conv2d)) and any(path.startswith(block) for block in inside):
            yield model.network_name(part, path), module


def _kind(module: nn.Linear | nn.Conv2d) -> type[LoraLayer]:
    return LoraConv if isinstance(module, nn.Conv2d) else LoraLinear


def _as_matrix(module: nn.Linear | nn.Conv2d, tensor: Tensor | None) -> Tensor | None:
    """A linear layer's tensor as a matrix; kohya's files of Stable Diffusion 2 have some as 1x1 convolutions."""
    is_small = tensor is not None and tensor.ndim == CONVOLUTION and tensor.shape[2:] == (1, 1)
    return tensor.flatten(1) if tensor is not None and is_small and isinstance(module, nn.Linear) else tensor


def _fits(module: nn.Linear | nn.Conv2d, down: Tensor, up: Tensor) -> bool:
    return down.shape[1:] == module.weight.shape[1:] and up.shape[0] == module.weight.shape[0]
