"""Writes a whole model as one `.safetensors` file in its family's original layout, as every WebUI reads it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import IO

import torch

from lib_trainer.core.errors import ModelError, OutputError
from lib_trainer.core.whole_files import whole_file
from lib_trainer.models.model import Model
from lib_trainer.models.original_tensors import OriginalTensors
from lib_trainer.models.tensor_files import DTYPES, SafetensorsFile
from lib_trainer.models.tensor_headers import header_bytes

NAMES = {dtype: name for name, dtype in DTYPES.items()}
# These describe the source's bytes and would be untrue of the new file's.
STALE_METADATA = ("sshs_", "modelspec.hash_")


def write_checkpoint(
    model: Model, path: Path, dtype: torch.dtype | None = None, metadata: Mapping[str, str] | None = None
) -> None:
    """Write a model as it is now, tensor by tensor, and read the file back before it takes its name.

    Args:
        model: its loaded parts are written as they are in memory, the rest as in its source.
        path: the file to write; an existing one is replaced.
        dtype: of all floating-point tensors; None keeps each tensor's dtype in the source.
        metadata: entries added to the source's own.

    Raises:
        OutputError: the path is the model's own source, or what was read back is not what was written.
        ModelError: a tensor holds values that are not finite, or not finite any more in `dtype`.
        OSError: what the disk said; no file of that name is left half-written.
    """
    if path.exists() and model.path.exists() and path.samefile(model.path):
        raise OutputError(f"{path} is the model that is being trained; write to another name.")
    tensors = model.original_tensors()
    dtypes = {name: _target(tensors.stored_dtype(name), dtype) for name in tensors}
    # Wide types first keeps every tensor aligned, as the format's own writer does.
    order = sorted(dtypes, key=lambda name: (-dtypes[name].itemsize, name))
    kept = {name: text for name, text in tensors.metadata.items() if not name.startswith(STALE_METADATA)}
    described = [(name, NAMES[dtypes[name]], tensors.shape(name)) for name in order]
    header = header_bytes(described, {"format": "pt", **kept, **(metadata or {})})
    with whole_file(path) as file:
        file.write(header)
        for name in order:
            file.write(_bytes(path, name, tensors[name], dtypes[name]))
        file.flush()
        _verify(path, file, tensors, dtypes)


def _target(stored: torch.dtype, wanted: torch.dtype | None) -> torch.dtype:
    return wanted if wanted is not None and stored.is_floating_point else stored


def _bytes(path: Path, name: str, tensor: torch.Tensor, dtype: torch.dtype) -> memoryview:
    tensor = tensor.to(dtype).contiguous()
    if not is_finite(tensor):
        limit = f" (the largest that {NAMES[dtype]} holds is {torch.finfo(dtype).max:g})"
        raise ModelError(
            f"{path} is not written: {name} holds values that are not finite{limit}. "
            "Go back to an earlier state, or save in F32 if they were only too large."
        )
    return tensor.reshape(-1).view(torch.uint8).numpy().data


def is_finite(tensor: torch.Tensor) -> bool:
    """Whether every value is a number; tensors of whole numbers always are."""
    return not tensor.is_floating_point() or bool(torch.isfinite(tensor).all())


def _verify(path: Path, file: IO[bytes], tensors: OriginalTensors, dtypes: dict[str, torch.dtype]) -> None:
    written = SafetensorsFile(Path(file.name))
    wrong = [
        name
        for name, dtype in dtypes.items()
        if written.shapes.get(name) != tensors.shape(name)
        or written.dtype(name) != dtype
        or not is_finite(written.read(name))
    ]
    if wrong or len(written.shapes) != len(dtypes):
        raise OutputError(
            f"{path} is not written: read back, {len(wrong)} of its {len(dtypes)} tensors differ"
            f"{': ' + wrong[0] if wrong else ''}. Check the disk and save again."
        )
