"""Writes a whole model as programs read it: one file in its family's original layout, or a diffusers folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from lib_trainer.core.errors import OutputError
from lib_trainer.core.whole_files import whole_file, write_text
from lib_trainer.models.model import Model
from lib_trainer.weights.folder_writing import write_folder
from lib_trainer.weights.formats import CheckpointFormat
from lib_trainer.weights.pickle_writing import write_pickle
from lib_trainer.weights.safetensors_writing import write_safetensors
from lib_trainer.weights.tensor_bytes import Writing

# These describe the source's bytes and would be untrue of the new file's.
STALE_METADATA = ("sshs_", "modelspec.hash_")


def write_checkpoint(
    model: Model,
    path: Path,
    dtype: torch.dtype | None = None,
    metadata: Mapping[str, str] | None = None,
    form: CheckpointFormat = "safetensors",
    left_out: tuple[str, ...] = (),
) -> None:
    """Write a model as it is now, tensor by tensor, and read it back before it takes its name.

    A `.yaml` lies beside a file where the WebUI needs one: for the velocity, and where the source has its own.

    Args:
        model: its loaded parts are written as they are in memory, the rest as in its source.
        path: the file or folder to write; an existing one is replaced.
        dtype: of all floating-point tensors; None keeps each tensor's dtype in the source.
        metadata: entries added to the source's own, in a `.safetensors` file.
        form: what is written.
        left_out: what names begin with that a file is written without.

    Raises:
        OutputError: the path is the model's own source, a `.yaml` beside it is of another model, or what was read back
            is not what was written.
        ModelError: a tensor holds values that are not finite, or not finite any more in `dtype`.
        OSError: what the disk said; nothing of that name is left half-written.
    """
    if path.exists() and model.path.exists() and path.samefile(model.path):
        raise OutputError(f"{path} is the model that is being trained; write to another name.")
    if form == "diffusers":
        write_folder(path, model.diffusers_folder(), dtype)
        return
    _write_config(model, path)
    tensors = model.original_tensors().without(*left_out)
    writing = Writing(path, tensors, dtype)
    with whole_file(path) as file:
        if form == "ckpt":
            write_pickle(file, writing)
        else:
            kept = {name: text for name, text in tensors.metadata.items() if not name.startswith(STALE_METADATA)}
            write_safetensors(file, writing, {**kept, **(metadata or {})})


def _write_config(model: Model, path: Path) -> None:
    """Write what must lie beside a file for the WebUI, before the file itself, which a WebUI may load at once."""
    import yaml  # type: ignore[import-untyped]

    beside, told = path.with_suffix(".yaml"), model.webui_config()
    if told is not None:
        write_text(beside, yaml.safe_dump(told, sort_keys=False))
    elif beside.exists():
        raise OutputError(
            f"{path} is not written: {beside.name} lies there, by which the WebUI would read it as another model; "
            "remove it, or write to another name."
        )
