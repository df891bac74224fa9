"""Network files: written whole, read back, every key matched; and opened onto a model again."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lib_trainer.core.errors import ModelError, TrainingError
from lib_trainer.core.whole_files import whole_file
from lib_trainer.models.sd1_model import open_source
from lib_trainer.models.tensor_files import SafetensorsFile
from lib_trainer.trainables import TRAINABLES
from lib_trainer.trainables.bundled_words import NetworkWithWords, open_words, without_words
from lib_trainer.trainables.file_names import in_kohya_names, module_names, read_network, read_network_file
from lib_trainer.trainables.network_family import misfit_if_readable
from lib_trainer.trainables.textual_inversion import TextualInversion
from lib_trainer.weights.metadata import hash_entries

if TYPE_CHECKING:
    from lib_trainer.models.model import Model
    from lib_trainer.trainables.base import Network, TrainableOptions

LEGACY_HASH_START, LEGACY_HASH_LENGTH = 0x100000, 0x10000


def write_network(path: Path, tensors: Mapping[str, Tensor], dtype: torch.dtype, metadata: dict[str, str]) -> None:
    """Write a network as safetensors in `dtype` under a whole name, with the hashes that the WebUI shows.

    Raises:
        TrainingError: a value is not finite (in `dtype`), or what is read back differs from what was written.
        OSError: what the disk said; nothing is left behind.
    """
    from safetensors.torch import save

    kept = {name: tensor.detach().to("cpu", dtype).contiguous() for name, tensor in tensors.items()}
    for name, tensor in kept.items():
        if not torch.isfinite(tensor).all():
            raise TrainingError(
                f"{path.name} was not written: {name} holds values that are not finite as {dtype}. "
                "Save in bf16 or fp32, or lower the learning rate."
            )
    hashes = _hashes(save(kept))
    with whole_file(path) as file:
        file.write(save(kept, {**metadata, **hashes}))
        file.flush()
        _read_back(path, SafetensorsFile(Path(file.name)), kept)


def _hashes(file: bytes) -> dict[str, str]:
    data_start = 8 + int.from_bytes(file[:8], "little")
    legacy = sha256(file[LEGACY_HASH_START : LEGACY_HASH_START + LEGACY_HASH_LENGTH]).hexdigest()[:8]
    return hash_entries(sha256(file[data_start:]).hexdigest(), legacy)


def _read_back(path: Path, found: SafetensorsFile, written: Mapping[str, Tensor]) -> None:
    known = found.shapes.keys() & written.keys()
    wrong = len(written) - sum(torch.equal(found.read(name), written[name]) for name in known)
    if wrong or len(found.shapes) != len(written):
        raise TrainingError(f"{path} was not written: read back, {wrong} tensors differ; check the disk, save again.")


def open_network(model: Model, path: Path) -> Network:
    """Attach the network of a file, in kohya's or the original names, to a model; every key of it must match.

    Raises:
        ModelError: the file can't be read, is of no known kind, or does not fit the model.
    """
    kind = kind_of_file(path)
    found, told = read_network_file(path)
    try:
        network = kind.open(model, in_kohya_names(model, without_words(found)), told)
        words = open_words(model, found)
    except ModelError as error:
        why = misfit_if_readable(path, model.family)
        raise ModelError(f"{path}: {f'{why}. ' if why else ''}{error}") from error
    return NetworkWithWords(network, words) if words else network


def kind_of_file(path: Path) -> type[TrainableOptions]:
    """The entry of the table of trainables that a file is of.

    Raises:
        ModelError: the file can't be read, or is of none.
    """
    names = open_source(path).shapes.keys()
    for _, kind in TRAINABLES:
        if kind.recognises(names):
            return kind
    raise ModelError(f"{path} is no network file of a known kind ({', '.join(TRAINABLES.names)}); give another file.")


def check_matches(model: Model, path: Path, network: Network) -> None:
    """Check that each tensor of a written file has a module of the model behind its name, as a loader would find it.

    Words' tensors have none: loaders know them by their names alone.

    Raises:
        TrainingError: a key would not be found.
    """
    tensors = without_words(read_network(path))
    stems = set() if TextualInversion.recognises(tensors) else {name.split(".")[0] for name in tensors}
    names = module_names(model)
    known = {*names, *names.values()}
    if not stems <= known or len(stems) != network.matched:
        odd = ", ".join(sorted(stems - known)[:3])
        raise TrainingError(f"{path}: {len(stems - known)} of {len(stems)} modules are not the model's ({odd}).")
