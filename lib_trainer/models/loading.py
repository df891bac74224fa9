"""Loads a model of whichever family a file or folder turns out to be."""

from __future__ import annotations

from pathlib import Path

import torch

from lib_trainer.models.checkpoints import family_of, read_shapes
from lib_trainer.models.model import Model


def load_model(path: Path, dtype: torch.dtype, device: torch.device) -> Model:
    """Load a checkpoint file or a diffusers folder; its parts come frozen, in `dtype` on `device`.

    Raises:
        ModelError: the path does not exist, can't be read, or is of no supported family; it says what it looks like.
    """
    return family_of(path, read_shapes(path)).load(path, dtype, device)
