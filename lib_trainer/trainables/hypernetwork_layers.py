"""The small networks of a hypernetwork, started anew or from a file, and how they get before keys and values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional, init

from lib_trainer.core.errors import ConfigError, ModelError
from lib_trainer.trainables.file_names import read_network_file
from lib_trainer.trainables.hypernetwork import KEYS, PART, VALUES, Hypernetwork, What, reader
from lib_trainer.trainables.hypernetwork_structure import Step, Structure, structure_of
from lib_trainer.trainables.layer_network import go_on_from

if TYPE_CHECKING:
    from lib_trainer.models.model import Model

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU, "leakyrelu": nn.LeakyReLU, "elu": nn.ELU, "swish": nn.Hardswish, "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid, "mish": nn.Mish, "gelu": nn.GELU, "silu": nn.SiLU, "selu": nn.SELU,
    "softplus": nn.Softplus, "softsign": nn.Softsign,
}  # fmt: skip
# Files from before October 2022 call the two linear layers so.
FORMER_NAMES = {"linear1": "linear.0", "linear2": "linear.1"}
Read = tuple[int, int]  # a width, and whether it is for keys or for values


class SmallNetwork(nn.Module):
    """x [..., width] to x + strength * linear(x), in x's number format."""

    def __init__(self, structure: Structure, width: int) -> None:
        super().__init__()
        self.strength = 1.0
        with torch.device("meta"):
            steps = [_module(step, structure.activation_func) for step in structure.steps(width)]
        self.linear = nn.Sequential(*steps).to_empty(device="cpu")

    def forward(self, x: Tensor) -> Tensor:
        if self.strength == 0:
            return x
        y = x
        for layer in self.linear:
            y = _applied(layer, y)
        return x + self.strength * y


def _module(step: Step, activation: str) -> nn.Module:
    if step.kind == "linear":
        return nn.Linear(step.width, step.out)
    if step.kind == "norm":
        return nn.LayerNorm(step.out)
    return nn.Dropout(step.dropout) if step.kind == "dropout" else ACTIVATIONS[activation]()


def _applied(layer: nn.Module, y: Tensor) -> Tensor:
    """A layer's answer in the arithmetic of what it is given, whatever its own weights' number format is."""
    if isinstance(layer, nn.Linear):
        return functional.linear(y, layer.weight.to(y.dtype), layer.bias.to(y.dtype))
    if isinstance(layer, nn.LayerNorm):
        weight, bias = layer.weight.to(y.dtype), layer.bias.to(y.dtype)
        return functional.layer_norm(y, layer.normalized_shape, weight, bias, layer.eps)
    answer: Tensor = layer(y)
    return answer


class AttachedHypernetwork:
    """Small networks by the width that they are for, put before the layers that make keys and values."""

    def __init__(self, structure: Structure, networks: dict[Read, SmallNetwork], model: Model, what: What) -> None:
        self._structure, self._networks = structure, networks
        readers = [(module, read) for module, read in readers_of(model, what) if read in networks]
        self._hooks = [module.register_forward_pre_hook(_before(networks[read])) for module, read in readers]
        self.matched = len(readers)

    def parameters(self, part: str) -> list[nn.Parameter]:
        if part != PART:
            return []
        return [tensor for network in self._networks.values() for tensor in network.parameters()]

    def groups(self, part: str) -> list[tuple[float, list[nn.Parameter]]]:
        return [(1.0, self.parameters(part))]

    def tensors(self) -> dict[str, Tensor]:
        return {name: tensor.detach() for name, tensor in self._named().items()}

    def _named(self) -> dict[str, Tensor]:
        return {
            f"{width}.{number}.{name}": tensor
            for (width, number), network in self._networks.items()
            for name, tensor in network.named_parameters()
        }

    def metadata(self) -> dict[str, str]:
        return self._structure.told()

    def load_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        for name, tensor in self._named().items():
            tensor.data.copy_(tensors[name])

    def set_strength(self, strength: float) -> None:
        for network in self._networks.values():
            network.strength = strength

    def train(self, training: bool) -> None:
        for network in self._networks.values():
            network.train(training)

    def settle(self) -> None:
        """Nothing is due after an update."""

    def detach(self) -> None:
        for hook in self._hooks:
            hook.remove()


def _before(network: SmallNetwork) -> Any:
    def changed(_: nn.Module, read: tuple[Tensor]) -> Tensor:
        return network(read[0])  # type: ignore[no-any-return]

    return changed


def readers_of(model: Model, what: What) -> Iterator[tuple[nn.Linear, Read]]:
    """The layers that make keys and values out of what is read, each with what it reads."""
    for path, module in model.parts[PART].named_modules():
        number = reader(path, what)
        if number is not None and isinstance(module, nn.Linear):
            yield module, (module.in_features, number)


def start_hypernetwork(options: Hypernetwork, model: Model, seed: int) -> AttachedHypernetwork:
    """New small networks, with weights that depend on the seed alone, or those of `start_from`.

    Raises:
        ConfigError: the file to start from is of another kind, of other sizes or of another structure.
        ModelError: that file can't be read.
    """
    generator = torch.Generator().manual_seed(seed)
    networks = {}
    for width in sorted({width for _, (width, _) in readers_of(model, options.reads)}):
        for number in (KEYS, VALUES):
            networks[width, number] = SmallNetwork(options.structure, width)
            _start(networks[width, number], options.structure, generator)
    attached = _attached(options.structure, networks, model, options.reads)
    if options.start_from is not None:
        go_on_from(options.start_from, model, attached)
        _check_structure(options.start_from, attached, options.structure)
    return attached


def _check_structure(path: Path, attached: AttachedHypernetwork, structure: Structure) -> None:
    """What the tensors' shapes don't tell must be the same too."""
    found = structure_of(read_network_file(path)[1])
    for name in ("layer_structure", "activation_func", "activate_output"):
        there, here = getattr(found, name), getattr(structure, name)
        without = name == "activate_output" and structure.activation_func == "linear"
        if there != here and not without:
            attached.detach()
            raise ConfigError(
                f"'trainable.start_from' is {path}, whose {name} is {there} where that of the hypernetwork that is to "
                f"be trained is {here}; give the file's, or another file."
            )


def _attached(
    structure: Structure, networks: dict[Read, SmallNetwork], model: Model, what: What
) -> AttachedHypernetwork:
    for network in networks.values():
        network.to(model.device)
    return AttachedHypernetwork(structure, networks, model, what)


def _start(network: SmallNetwork, structure: Structure, generator: torch.Generator) -> None:
    """First values; the last layer's are nought, and so is what is added."""
    layers = [layer for layer in network.linear if isinstance(layer, (nn.Linear, nn.LayerNorm))]
    for layer in layers:
        init.zeros_(layer.bias)
        if layer is layers[-1]:
            init.zeros_(layer.weight)
        elif isinstance(layer, nn.LayerNorm):
            init.ones_(layer.weight)
        else:
            _spread(layer.weight, structure, generator)


def _spread(weight: Tensor, structure: Structure, generator: torch.Generator) -> None:
    kind: Literal["leaky_relu", "relu"] = "leaky_relu" if structure.activation_func == "leakyrelu" else "relu"
    match structure.weight_initialization:
        case "XavierUniform":
            init.xavier_uniform_(weight, generator=generator)
        case "XavierNormal":
            init.xavier_normal_(weight, generator=generator)
        case "KaimingUniform":
            init.kaiming_uniform_(weight, nonlinearity=kind, generator=generator)
        case "KaimingNormal":
            init.kaiming_normal_(weight, nonlinearity=kind, generator=generator)
        case _:
            init.normal_(weight, std=0.01, generator=generator)


def open_hypernetwork(model: Model, tensors: Mapping[str, Tensor], told: Mapping[str, str]) -> AttachedHypernetwork:
    """The hypernetwork of a file, attached, its dropout off.

    Raises:
        ModelError: the model is of a family that has none, or some tensors are for widths that the model does not read.
    """
    if model.family not in Hypernetwork.families:
        raise ModelError(f"hypernetworks work with Stable Diffusion 1 and 2 alone, not with {model.path.name}.")
    structure = structure_of(told)
    found = {_current_name(name): tensor for name, tensor in tensors.items()}
    reads = sorted({read for _, read in readers_of(model, "all") if _first_of(read) in found})
    wanted = {
        f"{width}.{number}.{name}": shape
        for width, number in reads
        for name, shape in structure.shapes(width).items()
    }
    odd = sorted(name for name in {*wanted, *found} if name not in found or wanted.get(name) != found[name].shape)
    if odd:
        raise ModelError(
            f"{len(odd)} of {len(found)} tensors of the hypernetwork fit nothing that {model.path.name} reads "
            f"({', '.join(odd[:3])}); it was made for another kind or size of model."
        )
    networks = {read: SmallNetwork(structure, read[0]) for read in reads}
    network = _attached(structure, networks, model, "all")
    network.load_tensors(found)
    network.train(False)
    return network


def _first_of(read: Read) -> str:
    width, number = read
    return f"{width}.{number}.linear.0.weight"


def _current_name(name: str) -> str:
    return re.sub(r"(?<=\.)linear[12](?=\.)", lambda match: FORMER_NAMES[match[0]], name)
