"""Loads a model of whichever family a file or folder turns out to be."""

from __future__ import annotations

import math
from pathlib import Path

import torch

from lib_trainer.core.errors import ModelError
from lib_trainer.models.families import FAMILIES
from lib_trainer.models.foreign import what_it_looks_like
from lib_trainer.models.model import Model, Shapes
from lib_trainer.models.sd1_folder import open_folder
from lib_trainer.models.tensor_files import open_tensors

SUPPORTED = "Supported are Stable Diffusion 1 checkpoints as one file, or as a diffusers folder"


def load_model(path: Path, dtype: torch.dtype, device: torch.device) -> Model:
    """Load a checkpoint file or a diffusers folder; its parts come frozen, in `dtype` on `device`.

    Raises:
        ModelError: the path does not exist, can't be read, or is of no supported family; it says what it looks like.
    """
    shapes = _shapes(path)
    for family in FAMILIES.values():
        if family.recognises(shapes):
            return family.load(path, dtype, device)
    raise ModelError(f"{path} looks like {what_it_looks_like(shapes)}, which can't be trained here. {SUPPORTED}.")


def count_weights(path: Path) -> int:
    """How many values all tensors of a checkpoint have; only their shapes are read.

    Raises:
        ModelError: the path does not exist or can't be read.
    """
    return sum(math.prod(shape) for shape in _shapes(path).values())


def _shapes(path: Path) -> Shapes:
    if not path.exists():
        raise ModelError(f"The model {path} does not exist; check the path.")
    return open_folder(path).shapes if path.is_dir() else open_tensors(path).shapes
