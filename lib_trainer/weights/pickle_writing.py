"""Writes a table of tensors as a `.ckpt` file that every PyTorch and AUTOMATIC1111's check of such files reads.

PyTorch's own writer adds entries to the archive which that check refuses, and wants all tensors in memory at once. The
format: a zip archive, uncompressed, of a pickle whose tensors point to one entry for each one's bytes.
"""

from __future__ import annotations

import io
import pickle
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import torch

from lib_trainer.core.errors import OutputError
from lib_trainer.models.pickle_files import PickleFile
from lib_trainer.weights.tensor_bytes import NAMES, Writing

FOLDER, VERSION = "archive", "3"
FIELD = 2**32 - 2  # bytes: what a place in the archive's usual list can tell
PROTOCOL = 2  # what PyTorch uses; its safe reader knows no other
# The old names of types of storage, all that the check lets pass.
STORAGES: dict[torch.dtype, type[Any]] = {
    torch.float64: torch.DoubleStorage,
    torch.float32: torch.FloatStorage,
    torch.float16: torch.HalfStorage,
    torch.bfloat16: torch.BFloat16Storage,
    torch.int64: torch.LongStorage,
    torch.int32: torch.IntStorage,
    torch.uint8: torch.ByteStorage,
}


@dataclass(frozen=True)
class _Storage:
    """A tensor's bytes, to which the pickle only points."""

    told: tuple[str, type[Any], str, str, int]


@dataclass(frozen=True)
class _Tensor:
    storage: _Storage
    shape: tuple[int, ...]


class _Pickler(pickle.Pickler):
    def persistent_id(self, obj: Any) -> Any:
        return obj.told if isinstance(obj, _Storage) else None

    def reducer_override(self, obj: Any) -> Any:
        if not isinstance(obj, _Tensor):
            return NotImplemented
        strides = torch.empty(obj.shape, device="meta").stride()
        rebuild: Any = torch._utils._rebuild_tensor_v2
        return rebuild, (obj.storage, 0, obj.shape, strides, False, OrderedDict())


def write_pickle(file: IO[bytes], writing: Writing) -> None:
    """Write into an open file, the tensors in a table `state_dict`.

    Raises:
        ModelError: a tensor holds values that are not finite.
        OutputError: a tensor's type can't be in such a file, or what was read back is not what was written.
    """
    dtypes = writing.dtypes()
    with _usual_places(), zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        _put(archive, "data.pkl", _pickled(writing, dtypes))
        _put(archive, "byteorder", sys.byteorder.encode())
        for number, (name, dtype) in enumerate(dtypes.items()):
            _put(archive, f"data/{number}", writing.data(name, dtype))
        _put(archive, "version", f"{VERSION}\n".encode())
    file.flush()
    writing.check(PickleFile(Path(file.name)))


@contextmanager
def _usual_places() -> Iterator[None]:
    """Let places of up to 4 GiB be told in the usual list of an archive, not in the extended one (ZIP64).

    Python extends from 2 GiB on, which is allowed; PyTorch up to 2.3 at least then takes an archive between 2 and 4 GiB
    for damaged (miniz adds the entry's size to the mark that stands for "see the extended list").
    """
    usual = zipfile.ZIP64_LIMIT
    zipfile.ZIP64_LIMIT = FIELD  # type: ignore[misc]
    try:
        yield
    finally:
        zipfile.ZIP64_LIMIT = usual  # type: ignore[misc]


def _put(archive: zipfile.ZipFile, name: str, data: bytes | memoryview) -> None:
    entry = zipfile.ZipInfo(f"{FOLDER}/{name}")  # with no time in it: equal models give equal files
    archive.writestr(entry, data)


def _pickled(writing: Writing, dtypes: dict[str, torch.dtype]) -> bytes:
    table = {}
    for number, (name, dtype) in enumerate(dtypes.items()):
        if dtype not in STORAGES:
            raise OutputError(
                f"{writing.path} is not written: a .ckpt can't hold {name} as {NAMES[dtype]}; save as safetensors."
            )
        shape = writing.tensors.shape(name)
        count = torch.Size(shape).numel()
        table[name] = _Tensor(_Storage(("storage", STORAGES[dtype], str(number), "cpu", count)), shape)
    buffer = io.BytesIO()
    _Pickler(buffer, protocol=PROTOCOL).dump({"state_dict": table})
    return buffer.getvalue()
