"""Writes a table of tensors as a `.safetensors` file, one tensor at a time, and reads it back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import IO

from lib_trainer.models.tensor_files import SafetensorsFile
from lib_trainer.models.tensor_headers import header_bytes
from lib_trainer.weights.tensor_bytes import NAMES, Writing


def write_safetensors(file: IO[bytes], writing: Writing, metadata: Mapping[str, str]) -> None:
    """Write into an open file; `metadata` is its header's.

    Raises:
        ModelError: a tensor holds values that are not finite.
        OutputError: what was read back is not what was written.
    """
    dtypes = writing.dtypes()
    # Wide types first keeps every tensor aligned, as the format's own writer does.
    order = sorted(dtypes, key=lambda name: (-dtypes[name].itemsize, name))
    described = [(name, NAMES[dtypes[name]], writing.tensors.shape(name)) for name in order]
    file.write(header_bytes(described, {"format": "pt", **metadata}))
    for name in order:
        file.write(writing.data(name, dtypes[name]))
    file.flush()
    writing.check(SafetensorsFile(Path(file.name)))
