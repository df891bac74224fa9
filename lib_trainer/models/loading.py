"""Loads a model of whichever family a file or folder turns out to be."""

from __future__ import annotations

from pathlib import Path

import torch

from lib_trainer.models.checkpoints import family_of, read_shapes
from lib_trainer.models.model import Model, Place


def load_model(path: Path, dtype: torch.dtype, device: torch.device, vae: Path | None = None) -> Model:
    """Load a checkpoint file or a diffusers folder; its parts come frozen, in `dtype` on `device`.

    `vae` is a file or folder with a VAE that is to take the place of the model's own.

    Raises:
        ModelError: the path does not exist, can't be read, or is of no supported family; it says what it looks like.
    """
    return family_of(path, read_shapes(path)).load(Place(path, vae), dtype, device)
