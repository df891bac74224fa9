"""The header of a `.safetensors` file, read or made: its tensors' names and shapes, and where they lie.

Needs nothing but Python, so that the host can ask a network what it is. Format:
https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_trainer.core.errors import ModelError
from lib_trainer.core.units import file_size

# Bytes of one number, by the format's names.
ITEM_SIZES = {
    "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E5M2": 1, "F8_E4M3": 1,
    "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1,
}  # fmt: skip
LONGEST_HEADER = 100_000_000
ALIGNMENT = 8  # of the header's end
DOWNLOAD_AGAIN = "Download or copy it again"
PICKLE_ENDINGS = (".ckpt", ".pt", ".pth", ".bin")


@dataclass(frozen=True)
class Stored:
    """Where a tensor lies in its file, in bytes from the file's start; `dtype` is the format's name of it."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    size: int


@dataclass(frozen=True)
class Header:
    """The tensors by name, and the texts that the file says about itself."""

    stored: dict[str, Stored]
    metadata: dict[str, str]


def tensor_file_ending(path: Path) -> str:
    """The ending of a model or network file in small letters.

    Raises:
        ModelError: files of this ending can't be read.
    """
    ending = path.suffix.lower()
    if ending != ".safetensors" and ending not in PICKLE_ENDINGS:
        raise ModelError(f"{path} ends in '{ending}'; a model file ends in .safetensors, .ckpt, .pt, .pth or .bin.")
    return ending


def metadata_of(path: Path) -> dict[str, str]:
    """The texts in a file's header; a file of PyTorch's own format has none.

    Raises:
        ModelError: the file can't be read, is cut off, or is of another kind.
    """
    return read_header(path).metadata if tensor_file_ending(path) == ".safetensors" else {}


def read_header(path: Path) -> Header:
    """Read and check the header of a `.safetensors` file.

    Raises:
        ModelError: the file can't be read, is cut off, or its header contradicts itself.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = _header_length(path, file.read(8), size)
            text = file.read(length)
    except OSError as error:
        raise ModelError(f"The model file {path} can't be read ({error}); check the path.") from error
    header = _table(path, text)
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict):
        raise ModelError(f"{path} is no safetensors file: its metadata is no table of texts. {DOWNLOAD_AGAIN}.")
    stored = {name: _stored(path, name, entry, 8 + length) for name, entry in header.items()}
    _check_places(path, stored, 8 + length, size)
    return Header(stored, {name: str(value) for name, value in metadata.items()})


def header_bytes(tensors: Iterable[tuple[str, str, tuple[int, ...]]], metadata: Mapping[str, str]) -> bytes:
    """All that stands before the tensors (name, dtype by the format's name, shape) in a file of them in this order."""
    entries: dict[str, object] = {"__metadata__": dict(metadata)}
    start = 0
    for name, dtype, shape in tensors:
        end = start + math.prod(shape) * ITEM_SIZES[dtype]
        entries[name] = {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}
        start = end
    text = json.dumps(entries, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    text += b" " * (-len(text) % ALIGNMENT)
    return len(text).to_bytes(8, "little") + text


def _header_length(path: Path, first: bytes, size: int) -> int:
    if size < 10:
        raise ModelError(f"{path} holds only {file_size(size)}, which is no model. {DOWNLOAD_AGAIN}.")
    length = int.from_bytes(first, "little")
    if length > LONGEST_HEADER:
        raise ModelError(f"{path} is no safetensors file: its first 8 bytes give no header length. {DOWNLOAD_AGAIN}.")
    if 8 + length > size:
        raise ModelError(
            f"{path} is cut off: its header alone needs {file_size(8 + length)}, the file has {file_size(size)}. "
            f"{DOWNLOAD_AGAIN}."
        )
    return length


def _table(path: Path, text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text)
    except ValueError as error:
        raise ModelError(f"{path} is no safetensors file: its header is not JSON. {DOWNLOAD_AGAIN}.") from error
    if not isinstance(header, dict):
        raise ModelError(f"{path} is no safetensors file: its header is no table of tensors. {DOWNLOAD_AGAIN}.")
    return header


def _stored(path: Path, name: str, entry: Any, data_start: int) -> Stored:
    try:
        dtype, shape = str(entry["dtype"]), tuple(int(side) for side in entry["shape"])
        start, end = (int(offset) for offset in entry["data_offsets"])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path} says nothing usable about its tensor {name!r}. {DOWNLOAD_AGAIN}.") from error
    if dtype not in ITEM_SIZES:
        raise ModelError(f"{path} stores {name!r} as {dtype}, which is not supported; save it as F16, BF16 or F32.")
    needed = math.prod(shape) * ITEM_SIZES[dtype]
    if start < 0 or min(shape, default=0) < 0 or end - start != needed:
        raise ModelError(
            f"{path} contradicts itself: {name!r} of shape {list(shape)} in {dtype} needs {needed} bytes, "
            f"its place has {end - start}. {DOWNLOAD_AGAIN}."
        )
    return Stored(dtype, shape, data_start + start, needed)


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
