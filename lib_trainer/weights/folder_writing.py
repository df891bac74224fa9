"""Writes a model as a diffusers folder, part by part, each read back before the folder takes its name."""

from __future__ import annotations

from pathlib import Path

import torch

from lib_trainer.core.whole_files import whole_folder
from lib_trainer.models.diffusers_folder import DiffusersFolder
from lib_trainer.weights.safetensors_writing import write_safetensors
from lib_trainer.weights.tensor_bytes import Writing


def write_folder(path: Path, folder: DiffusersFolder, dtype: torch.dtype | None) -> None:
    """Write a folder; an existing one is replaced.

    Raises:
        ModelError: a tensor holds values that are not finite.
        OutputError: what was read back is not what was written.
        OSError: what the disk said; no folder of that name is left half-written.
    """
    with whole_folder(path) as made:
        for name, copied in folder.copies.items():
            _place(made, name).write_bytes(copied.read_bytes())
        for name, text in folder.texts.items():
            _place(made, name).write_text(text, encoding="utf-8")
        for name, tensors in folder.weights.items():
            with _place(made, name).open("w+b") as file:
                write_safetensors(file, Writing(path / name, tensors, dtype), {})


def _place(folder: Path, name: str) -> Path:
    place = folder / name
    place.parent.mkdir(parents=True, exist_ok=True)
    return place
