"""Writes what a training ends in: the table from each kind of output to its writer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lib_trainer.core.outputs import FileFormat, Output
from lib_trainer.trainables.file_names import in_original_names
from lib_trainer.trainables.new_word import HEADER_NAME
from lib_trainer.weights.checkpoints import write_checkpoint
from lib_trainer.weights.embeddings import write_webui_embedding
from lib_trainer.weights.hypernetworks import write_hypernetwork
from lib_trainer.weights.metadata import (
    OLD_AVERAGES,
    NetworkFacts,
    checkpoint_metadata,
    embedding_metadata,
    network_metadata,
)
from lib_trainer.weights.networks import check_matches, write_network

if TYPE_CHECKING:
    import torch

    from lib_trainer.models.model import Model
    from lib_trainer.trainables.base import Network


@dataclass(frozen=True)
class Result:
    """What is written: a network on its model as both are now, and what is known of them.

    Args:
        name: of the file without its ending, which is also what its header calls it.
        dtype: number format of the file.
        original_names: whether a LoRA's layers are named as in the checkpoint.
    """

    model: Model
    network: Network
    name: str
    facts: NetworkFacts
    dtype: torch.dtype
    format: FileFormat
    original_names: bool


def write_lora(path: Path, result: Result) -> None:
    """Write a network of layers, read it back, and see that each of its keys is found in the model.

    Raises:
        TrainingError: a value is not finite, what is read back differs, or a key would not be found.
        OSError: what the disk said.
    """
    tensors = result.network.tensors()
    if result.original_names:
        tensors = in_original_names(result.model, tensors)
    metadata = network_metadata(result.name, result.facts, result.network.metadata())
    write_network(path, tensors, result.dtype, metadata)
    check_matches(result.model, path, result.network)


def write_trained_checkpoint(path: Path, result: Result) -> None:
    """Write the whole model, without averages of weights that its source may hold: they are those of before.

    Raises:
        OutputError, ModelError, OSError: as `write_checkpoint`.
    """
    assert result.format != "pt"
    told = checkpoint_metadata(result.name, result.facts)
    write_checkpoint(result.model, path, result.dtype, told, result.format, OLD_AVERAGES)


def write_embedding(path: Path, result: Result) -> None:
    """Write a word's vectors, and read them back.

    Raises:
        TrainingError: a value is not finite, or what is read back differs.
        OSError: what the disk said.
    """
    tensors, told = result.network.tensors(), result.network.metadata()
    if result.format == "pt":
        write_webui_embedding(path, tensors, result.dtype, told[HEADER_NAME], result.facts.step)
        return
    write_network(path, tensors, result.dtype, embedding_metadata(result.name, result.facts, told))


WRITERS: dict[Output, Callable[[Path, Result], None]] = {
    "lora": write_lora,
    "checkpoint": write_trained_checkpoint,
    "hypernetwork": write_hypernetwork,
    "embedding": write_embedding,
}
