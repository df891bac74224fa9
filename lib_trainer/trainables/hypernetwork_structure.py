"""How the small networks of a hypernetwork are built, and how the WebUI's file says it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Literal, get_args

from lib_trainer.core.errors import ModelError
from lib_trainer.trainables.base import Shape

Activation = Literal[
    "linear", "relu", "leakyrelu", "elu", "swish", "tanh", "sigmoid", "mish", "gelu", "silu", "selu", "softplus",
    "softsign",
]  # fmt: skip
WeightInit = Literal["Normal", "XavierUniform", "XavierNormal", "KaimingUniform", "KaimingNormal"]
Kind = Literal["linear", "activation", "norm", "dropout"]
FORMER_DROPOUT = 0.3  # what files mean that only say that there is dropout


@dataclass(frozen=True)
class Step:
    """One step of a small network: what it does, and the widths that go in and come out."""

    kind: Kind
    width: int
    out: int
    dropout: float = 0.0


@dataclass(frozen=True)
class Structure:
    """A small network's layers, by the names of the WebUI's file: sizes are multiples of the width that it is for."""

    layer_structure: tuple[float, ...] = (1, 2, 1)
    activation_func: str = "linear"
    weight_initialization: str = "Normal"
    is_layer_norm: bool = False
    activate_output: bool = False
    dropout_structure: tuple[float, ...] = (0, 0, 0)

    def steps(self, width: int) -> list[Step]:
        """The steps for a context of that width, in the WebUI's order: linear, activation, norm, dropout."""
        found: list[Step] = []
        last = len(self.layer_structure) - 2
        for place, (before, after) in enumerate(zip(self.layer_structure, self.layer_structure[1:], strict=False)):
            out = int(width * after)
            found.append(Step("linear", int(width * before), out))
            if self.activation_func != "linear" and (place < last or self.activate_output):
                found.append(Step("activation", out, out))
            if self.is_layer_norm:
                found.append(Step("norm", out, out))
            if self.dropout_structure[place + 1]:
                found.append(Step("dropout", out, out, self.dropout_structure[place + 1]))
        return found

    def shapes(self, width: int) -> dict[str, Shape]:
        """The trained tensors for a context of that width, by the last part of their names."""
        shapes: dict[str, Shape] = {}
        for number, step in enumerate(self.steps(width)):
            if step.kind in ("linear", "norm"):
                shapes[f"linear.{number}.weight"] = (step.out, step.width) if step.kind == "linear" else (step.out,)
                shapes[f"linear.{number}.bias"] = (step.out,)
        return shapes

    def told(self) -> dict[str, str]:
        """What the file says of it, each value as JSON."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        values["use_dropout"] = any(self.dropout_structure)
        values["last_layer_dropout"] = bool(self.dropout_structure[-2])
        return {name: json.dumps(value) for name, value in values.items()}


TOLD = (*(field.name for field in fields(Structure)), "use_dropout", "last_layer_dropout")


def structure_of(told: Mapping[str, str]) -> Structure:
    """The structure of a file; what it does not say is as the WebUI takes it.

    Raises:
        ModelError: the file says what can't be, or wants an activation that is not known here.
    """
    values = {name: json.loads(told[name]) for name in TOLD if name in told}
    sizes = tuple(values.get("layer_structure") or (1, 2, 1))
    activation = values.get("activation_func") or "linear"
    dropouts = tuple(values.get("dropout_structure") or _former_dropouts(len(sizes), values))
    if activation not in get_args(Activation):
        known = ", ".join(get_args(Activation))
        raise ModelError(f"the hypernetwork has the activation {activation!r}; known are {known}.")
    if len(sizes) < 2 or len(dropouts) != len(sizes) or sizes[0] != 1 or sizes[-1] != 1:
        raise ModelError(f"the hypernetwork says that its layers are {list(sizes)} and its dropouts {list(dropouts)}, "
                         "which does not go together; use another file.")  # fmt: skip
    return Structure(
        sizes, activation, values.get("weight_initialization") or "Normal", bool(values.get("is_layer_norm")),
        bool(values.get("activate_output", True)), dropouts,
    )  # fmt: skip


def _former_dropouts(layers: int, values: Mapping[str, object]) -> list[float]:
    """Of files from before they told each layer's: behind each hidden layer but, unless told, the last of them."""
    if not values.get("use_dropout"):
        return [0.0] * layers
    last = FORMER_DROPOUT if values.get("last_layer_dropout") else 0.0
    return [0.0, *[FORMER_DROPOUT] * (layers - 3), last, 0.0][:layers]
