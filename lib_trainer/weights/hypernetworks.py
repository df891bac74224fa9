"""Writes a hypernetwork as the `.pt` file that AUTOMATIC1111 reads, and reads it back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import torch
from torch import Tensor

from lib_trainer.core.errors import TrainingError
from lib_trainer.core.whole_files import whole_file
from lib_trainer.models.pickle_files import PickleFile
from lib_trainer.trainables.hypernetwork_structure import TOLD
from lib_trainer.weights.metadata import network_metadata

if TYPE_CHECKING:
    from lib_trainer.weights.results import Result


def write_hypernetwork(path: Path, result: Result) -> None:
    """Write the small networks by the widths that they are for, what they are, and how they were made.

    Raises:
        TrainingError: a value is not finite (in the file's number format), or what is read back differs.
        OSError: what the disk said; nothing is left behind.
    """
    kept = {name: tensor.to("cpu", result.dtype) for name, tensor in result.network.tensors().items()}
    odd = next((name for name, tensor in kept.items() if not torch.isfinite(tensor).all()), None)
    if odd is not None:
        raise TrainingError(
            f"{path.name} was not written: {odd} holds values that are not finite as {result.dtype}. "
            "Save in bf16 or fp32, or lower the learning rate."
        )
    told = result.network.metadata()
    structure = {name: json.loads(told[name]) for name in TOLD}
    content: dict[Any, Any] = {**_by_width(kept), **structure, **_described(result)}
    with whole_file(path) as file:
        _save(content, file)
        file.flush()
        _read_back(path, Path(file.name), kept, told)


def _by_width(tensors: Mapping[str, Tensor]) -> dict[int, tuple[dict[str, Tensor], dict[str, Tensor]]]:
    """`768.0.linear.0.weight` and the like as the WebUI nests them: width -> (of the keys, of the values)."""
    found: dict[int, tuple[dict[str, Tensor], dict[str, Tensor]]] = {}
    for name, tensor in tensors.items():
        width, number, inside = name.split(".", 2)
        found.setdefault(int(width), ({}, {}))[int(number)][inside] = tensor
    return found


def _described(result: Result) -> dict[str, Any]:
    """What the WebUI shows of it; it takes `name` for the file's own."""
    told = network_metadata(result.name, result.facts, {})
    facts = {name: text for name, text in told.items() if name.startswith("ss_")}
    return {
        "name": result.name,
        "step": result.facts.step,
        "sd_checkpoint": None,  # the start of a hash that only the WebUI knows
        "sd_checkpoint_name": Path(result.facts.base_name).stem,
        "optional_info": json.dumps(facts),
    }


def _save(content: dict[Any, Any], file: IO[bytes]) -> None:
    """In the format from before 2020: A1111 refuses the archives of torch 2.13 for files that it does not know."""
    try:
        torch.save(content, file, _use_new_zipfile_serialization=False)
    except RuntimeError as error:
        if isinstance(error.__context__, OSError):  # torch's writer stumbles over what the disk said, and hides it
            raise error.__context__ from error
        raise


def _read_back(path: Path, written: Path, kept: Mapping[str, Tensor], told: Mapping[str, str]) -> None:
    found = PickleFile(written)
    same = found.shapes.keys() == kept.keys()
    same = same and all(torch.equal(found.read(name), tensor) for name, tensor in kept.items())
    if not same or any(json.loads(found.metadata[name]) != json.loads(told[name]) for name in TOLD):
        raise TrainingError(f"{path} was not written: read back, it differs; check the disk, save again.")
