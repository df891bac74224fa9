"""Tensors in a cache file: a digest of what follows, then a safetensors block; read whole, never mapped."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import torch

from lib_trainer.core.errors import OutputError
from lib_trainer.core.whole_files import whole_file

DIGEST_BYTES = 32


class DamagedFileError(Exception):
    """A cache file does not hold what was written into it."""


def write_tensors(path: Path, tensors: dict[str, torch.Tensor]) -> None:
    """Write contiguous CPU tensors as one whole file.

    Raises:
        OutputError: the disk is full or the folder can't be written.
    """
    from safetensors.torch import save

    block = save(tensors)
    try:
        with whole_file(path) as file:
            file.write(sha256(block).digest())
            file.write(block)
    except OSError as error:
        raise OutputError(
            f"The cache file {path} can't be written ({error}); make room there or choose another cache folder."
        ) from error


def read_tensors(path: Path) -> dict[str, torch.Tensor] | None:
    """The tensors of a file, or None if there is no such file.

    Raises:
        DamagedFileError: the file is not whole, was changed, or can't be read.
    """
    from safetensors.torch import load

    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DamagedFileError(str(error)) from error
    if sha256(data[DIGEST_BYTES:]).digest() != data[:DIGEST_BYTES]:
        raise DamagedFileError("its content does not match its digest")
    return dict(load(data[DIGEST_BYTES:]))
