"""Files of named tensors, read one tensor at a time and never mapped: a mapped file counts as memory, and overwriting
it kills the process."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from lib_trainer.core.errors import ModelError
from lib_trainer.core.units import file_size

# The format's names, https://github.com/huggingface/safetensors#format
DTYPES: dict[str, torch.dtype] = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E5M2": torch.float8_e5m2,
    "F8_E4M3": torch.float8_e4m3fn,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
LONGEST_HEADER = 100_000_000
DOWNLOAD_AGAIN = "Download or copy it again"


class TensorFile(Protocol):
    """Names, shapes and dtypes at once; the tensors one by one."""

    path: Path
    shapes: dict[str, tuple[int, ...]]
    metadata: dict[str, str]

    def dtype(self, name: str) -> torch.dtype:
        """The dtype in which a tensor is stored."""

    def read(self, name: str) -> torch.Tensor:
        """One tensor on the CPU as it is stored.

        Raises:
            ModelError: the file was changed since it was opened, or can't be read any more.
        """


@dataclass(frozen=True)
class Stored:
    """Where a tensor lies in its file; offsets and sizes in bytes from the file's start."""

    dtype: torch.dtype
    shape: tuple[int, ...]
    start: int
    size: int


class ByteFile:
    """A file whose pieces are read on demand; it is not kept open, so that others can replace it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size, self._stamp = self._look()

    def _look(self) -> tuple[int, tuple[int, int]]:
        try:
            stat = self.path.stat()
        except OSError as error:
            raise ModelError(f"The model file {self.path} can't be read ({error}); check the path.") from error
        return stat.st_size, (stat.st_size, stat.st_mtime_ns)

    def read(self, start: int, size: int) -> torch.Tensor:
        """`size` bytes from `start` as a uint8 tensor.

        Raises:
            ModelError: the file was changed since it was opened, is shorter, or can't be read.
        """
        if self._look()[1] != self._stamp:
            raise ModelError(f"{self.path} was changed while it was in use; start again with the file as it is now.")
        buffer = torch.empty(size, dtype=torch.uint8)
        view, done = buffer.numpy().data, 0
        try:
            with self.path.open("rb", buffering=0) as file:
                file.seek(start)
                while done < size and (count := file.readinto(view[done:])):
                    done += count
        except OSError as error:
            raise ModelError(f"{self.path} can't be read ({error}); check the disk and the file's rights.") from error
        if done < size:
            there, needed = file_size(start + done), file_size(start + size)
            raise ModelError(f"{self.path} is cut off: {there} are there, {needed} are needed. {DOWNLOAD_AGAIN}.")
        return buffer


class SafetensorsFile:
    """A `.safetensors` file: 8 bytes of header length, a JSON header, the tensors' bytes."""

    def __init__(self, path: Path) -> None:
        """Read and check the header.

        Raises:
            ModelError: the file is cut off or its header contradicts itself.
        """
        self.path = path
        self._bytes = ByteFile(path)
        header, data_start = _read_header(self._bytes)
        self.metadata: dict[str, str] = header.pop("__metadata__", {})
        self._stored = {name: _stored(path, name, entry, data_start) for name, entry in header.items()}
        _check_places(path, self._stored, data_start, self._bytes.size)
        self.shapes = {name: stored.shape for name, stored in self._stored.items()}

    def dtype(self, name: str) -> torch.dtype:
        """The dtype in which a tensor is stored."""
        return self._stored[name].dtype

    def read(self, name: str) -> torch.Tensor:
        """One tensor on the CPU as it is stored.

        Raises:
            ModelError: the file was changed since it was opened, or can't be read any more.
        """
        stored = self._stored[name]
        return self._bytes.read(stored.start, stored.size).view(stored.dtype).reshape(stored.shape)


def open_tensors(path: Path) -> TensorFile:
    """Open a `.safetensors`, `.ckpt`, `.pt`, `.pth` or `.bin` file by its ending.

    Raises:
        ModelError: the file can't be read, is cut off, or is of another kind.
    """
    from lib_trainer.models.pickle_files import PickleFile

    ending = path.suffix.lower()
    if ending == ".safetensors":
        return SafetensorsFile(path)
    if ending in (".ckpt", ".pt", ".pth", ".bin"):
        return PickleFile(path)
    raise ModelError(f"{path} ends in '{ending}'; a model file ends in .safetensors, .ckpt, .pt, .pth or .bin.")


def _read_header(file: ByteFile) -> tuple[dict[str, Any], int]:
    path, size = file.path, file.size
    if size < 10:
        raise ModelError(f"{path} holds only {file_size(size)}, which is no model. {DOWNLOAD_AGAIN}.")
    length = int.from_bytes(bytes(file.read(0, 8).numpy()), "little")
    if length > LONGEST_HEADER:
        raise ModelError(f"{path} is no safetensors file: its first 8 bytes give no header length. {DOWNLOAD_AGAIN}.")
    if 8 + length > size:
        raise ModelError(
            f"{path} is cut off: its header alone needs {file_size(8 + length)}, the file has {file_size(size)}. "
            f"{DOWNLOAD_AGAIN}."
        )
    try:
        header = json.loads(bytes(file.read(8, length).numpy()))
    except ValueError as error:
        raise ModelError(f"{path} is no safetensors file: its header is not JSON. {DOWNLOAD_AGAIN}.") from error
    if not isinstance(header, dict):
        raise ModelError(f"{path} is no safetensors file: its header is no table of tensors. {DOWNLOAD_AGAIN}.")
    return header, 8 + length


def _stored(path: Path, name: str, entry: Any, data_start: int) -> Stored:
    try:
        dtype, shape = str(entry["dtype"]), tuple(int(side) for side in entry["shape"])
        start, end = (int(offset) for offset in entry["data_offsets"])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path} says nothing usable about its tensor {name!r}. {DOWNLOAD_AGAIN}.") from error
    if dtype not in DTYPES:
        raise ModelError(f"{path} stores {name!r} as {dtype}, which is not supported; save it as F16, BF16 or F32.")
    needed = math.prod(shape) * DTYPES[dtype].itemsize
    if start < 0 or min(shape, default=0) < 0 or end - start != needed:
        raise ModelError(
            f"{path} contradicts itself: {name!r} of shape {list(shape)} in {dtype} needs {needed} bytes, "
            f"its place has {end - start}. {DOWNLOAD_AGAIN}."
        )
    return Stored(DTYPES[dtype], shape, data_start + start, needed)


def _check_places(path: Path, stored: dict[str, Stored], data_start: int, size: int) -> None:
    """Tensors must follow one another without gap or overlap, up to the end of the file."""
    end = data_start
    for name, place in sorted(stored.items(), key=lambda item: (item[1].start, item[1].size)):
        if place.start != end:
            kind = "overlaps another tensor" if place.start < end else "leaves a gap before it"
            raise ModelError(f"{path} contradicts itself: {name!r} {kind}. {DOWNLOAD_AGAIN}.")
        end += place.size
    if size < end:
        raise ModelError(
            f"{path} is cut off: it must have {file_size(end)} ({end} bytes) and has {file_size(size)} ({size} bytes). "
            f"{DOWNLOAD_AGAIN}."
        )
    if size > end:
        raise ModelError(f"{path} has {size - end} bytes behind its last tensor, where it must end. {DOWNLOAD_AGAIN}.")
