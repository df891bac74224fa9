"""Tensors of network files and the names of their modules, kohya's and those of the original layout."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lib_trainer.models.sd1_model import open_source

if TYPE_CHECKING:
    from torch import Tensor

    from lib_trainer.models.model import Model


FILE_STEM = "file_stem"


def read_network(path: Path) -> dict[str, Tensor]:
    """All tensors of a network file.

    Raises:
        ModelError: the file is missing, broken or no tensor file.
    """
    return read_network_file(path)[0]


def read_network_file(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """All tensors of a network or a model, and what else it says, its own name included (`TrainableOptions.open`).

    Raises:
        ModelError: the file is missing, broken or no tensor file.
    """
    file = open_source(path)
    return {name: file.read(name) for name in file.shapes}, {**file.metadata, FILE_STEM: path.stem}


def module_names(model: Model) -> dict[str, str]:
    """Of each module of the model: its kohya name -> its original one."""
    modules = [(part, name) for part, module in model.parts.items() for name, _ in module.named_modules()]
    return {model.network_name(*module): model.original_network_name(*module) for module in modules}


def in_original_names(model: Model, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a network with the names that its modules have in the original layout."""
    return _renamed(tensors, module_names(model))


def in_kohya_names(model: Model, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a network, in kohya's or the original names, in kohya's."""
    return _renamed(tensors, {original: name for name, original in module_names(model).items()})


def _renamed(tensors: Mapping[str, Tensor], names: Mapping[str, str]) -> dict[str, Tensor]:
    parted = ((*name.partition("."), tensor) for name, tensor in tensors.items())
    return {names.get(module, module) + dot + rest: tensor for module, dot, rest, tensor in parted}
