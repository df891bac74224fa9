"""Files of named tensors, read one tensor at a time and never mapped: a mapped file counts as memory, and overwriting
it kills the process."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import torch

from lib_trainer.core.errors import ModelError
from lib_trainer.core.units import file_size
from lib_trainer.models.tensor_headers import DOWNLOAD_AGAIN, read_header, tensor_file_ending

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
        header = read_header(path)
        self.metadata = header.metadata
        self._stored = header.stored
        self.shapes = {name: stored.shape for name, stored in self._stored.items()}

    def dtype(self, name: str) -> torch.dtype:
        """The dtype in which a tensor is stored."""
        return DTYPES[self._stored[name].dtype]

    def read(self, name: str) -> torch.Tensor:
        """One tensor on the CPU as it is stored.

        Raises:
            ModelError: the file was changed since it was opened, or can't be read any more.
        """
        stored = self._stored[name]
        return self._bytes.read(stored.start, stored.size).view(DTYPES[stored.dtype]).reshape(stored.shape)


def open_tensors(path: Path) -> TensorFile:
    """Open a `.safetensors`, `.ckpt`, `.pt`, `.pth` or `.bin` file by its ending.

    Raises:
        ModelError: the file can't be read, is cut off, or is of another kind.
    """
    from lib_trainer.models.pickle_files import PickleFile

    return SafetensorsFile(path) if tensor_file_ending(path) == ".safetensors" else PickleFile(path)
