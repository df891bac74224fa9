"""Which files a training is going to write, and how large they are."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from lib_trainer.models.checkpoints import read_shapes
from lib_trainer.models.tensor_headers import ALIGNMENT, ITEM_SIZES, header_bytes, metadata_of
from lib_trainer.trainables.base import NetworkOutline
from lib_trainer.training.file_names import network_stem, state_file
from lib_trainer.training.length import Length
from lib_trainer.training.options import TrainingOptions
from lib_trainer.weights.metadata import OLD_AVERAGES, NetworkFacts, checkpoint_metadata, hash_entries, network_metadata

DTYPES = {"fp16": "F16", "bf16": "BF16", "fp32": "F32"}  # the format's names
MOST_LISTED = 200
NO_HASHES = hash_entries("0" * 64, "0" * 8)  # of the right lengths
# A state is PyTorch's archive: each tensor starts at a multiple of 64 bytes, and is listed at the end and in a table.
STATE_ALIGNMENT, STATE_HEAD, STATE_ENTRY = 64, 70, 142
# PyTorch's format from before 2020, in which a `.pt` for the WebUI is written: bytes around the tensors, and for each.
PICKLED_HEAD, PICKLED_ENTRY = 300, 122
STATE_REST = 11_000  # random generators, the place in the run


@dataclass(frozen=True)
class PlannedNetwork:
    """A network that is going to be saved after so many steps."""

    stem: str
    step: int
    epoch: int


def planned_networks(options: TrainingOptions, length: Length, name: str) -> Iterator[PlannedNetwork]:
    """The networks in the order of saving; those saved by the clock or on request are not among them."""
    for step in (*islice(_before_the_last(options, length), MOST_LISTED), length.steps):
        epoch, epoch_end = length.epochs_at(step)
        yield PlannedNetwork(network_stem(name, step, epoch, epoch_end), step, epoch)


def count_networks(options: TrainingOptions, length: Length) -> int:
    """How many networks there are going to be; very many are not all listed."""
    return len(_before_the_last(options, length)) + 1


def _before_the_last(options: TrainingOptions, length: Length) -> Sequence[int]:
    """The steps after which networks are saved, without the last, after which one is saved always."""
    due = length.moments(options.saving.every)
    return due[:-1] if due and due[-1] == length.steps else due


class NetworkSizes:
    """The sizes of the files of one training, but for what the digits of their times may change."""

    def __init__(self, options: TrainingOptions, network: NetworkOutline) -> None:
        dtype = DTYPES[options.saving.precision]
        self._is_checkpoint = options.trainable.output == "checkpoint"
        shapes = network.file
        if self._is_checkpoint:
            whole = read_shapes(options.model)
            shapes = {name: tuple(shape) for name, shape in whole.items() if not name.startswith(OLD_AVERAGES)}
        tensors = [(name, dtype, tuple(shape)) for name, shape in sorted(shapes.items())]
        self._tensors = sum(math.prod(shape) for _, _, shape in tensors) * ITEM_SIZES[dtype]
        self._is_pickled = options.file_format in ("pt", "ckpt")
        self._pickled = self._tensors + PICKLED_HEAD + PICKLED_ENTRY * len(tensors)
        self._header = len(header_bytes(tensors, {}).rstrip(b" ")) - len("{}")  # without metadata
        self._network = network
        path = options.model
        self._told = {"format": "pt", **(metadata_of(path) if path.is_file() else {})}  # what the source says of itself

    def of(self, stem: str, facts: NetworkFacts) -> int:
        """Bytes of the file of that name; of what is no safetensors file to a hundredth."""
        if self._is_pickled:
            return self._pickled + (0 if self._is_checkpoint else len(json.dumps(network_metadata(stem, facts, {}))))
        if self._is_checkpoint:
            metadata = {**self._told, **checkpoint_metadata(stem, facts)}
        else:
            metadata = {**network_metadata(stem, facts, self._network.metadata), **NO_HASHES}
        told = json.dumps(metadata, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
        header = -(-(self._header + len(told)) // ALIGNMENT) * ALIGNMENT
        return header + self._tensors


def planned_state(options: TrainingOptions, length: Length) -> str | None:
    """The name of the last state that is saved, of which one is kept, or None if none is."""
    due = length.moments(options.saving.state_every)
    return state_file(due[-1]) if due else None


def state_bytes(options: TrainingOptions, network: NetworkOutline) -> int:
    """The size of a state, to about a hundredth."""
    kept = [(4 * math.prod(shape), len(name)) for name, shape in network.file.items()]
    kept += [(size, 0) for shape in network.trained for size in options.optimizer.state_bytes(shape)]
    return STATE_REST + sum(_in_archive(size) + name for size, name in kept)


def _in_archive(size: int) -> int:
    return -(-(size + STATE_HEAD) // STATE_ALIGNMENT) * STATE_ALIGNMENT + STATE_ENTRY
