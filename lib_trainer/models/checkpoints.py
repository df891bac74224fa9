"""What a checkpoint's header tells: its tensors' shapes, its family, and its outline; no weight is read."""

from __future__ import annotations

import math
from pathlib import Path

from lib_trainer.core.errors import ModelError
from lib_trainer.models.families import FAMILIES
from lib_trainer.models.foreign import what_it_looks_like
from lib_trainer.models.model import Family, Shapes
from lib_trainer.models.outline import Outline
from lib_trainer.models.tensor_headers import read_header

SUPPORTED = "Supported are Stable Diffusion 1, 2 and XL checkpoints as one file, or as a diffusers folder"


def read_shapes(path: Path) -> Shapes:
    """The shapes of all tensors of a checkpoint file or a diffusers folder, by their original names.

    Raises:
        ModelError: the path does not exist or can't be read.
    """
    if not path.exists():
        raise ModelError(f"The model {path} does not exist; check the path.")
    if path.is_file() and path.suffix.lower() == ".safetensors":
        return {name: stored.shape for name, stored in read_header(path).stored.items()}
    from lib_trainer.models.sd1_folder import open_folder
    from lib_trainer.models.tensor_files import open_tensors

    return open_folder(path).shapes if path.is_dir() else open_tensors(path).shapes


def family_of(path: Path, shapes: Shapes) -> type[Family]:
    """The family of a checkpoint with these shapes.

    Raises:
        ModelError: it is of no supported family; it says what it looks like.
    """
    for family in FAMILIES.values():
        if family.recognises(shapes):
            return family
    raise ModelError(f"{path} looks like {what_it_looks_like(shapes)}, which can't be trained here. {SUPPORTED}.")


def read_outline(path: Path, vae: Path | None = None) -> Outline:
    """The outline of a checkpoint file or a diffusers folder, with another VAE if one is given.

    Raises:
        ModelError: as `read_shapes` and `family_of`, or a tensor is missing that gives a size.
    """
    shapes = read_shapes(path)
    if vae is not None:
        from lib_trainer.models.vae_files import VaeFile, with_shapes_of

        shapes = with_shapes_of(shapes, VaeFile(vae))
    return family_of(path, shapes).outline(path, shapes)


def count_weights(path: Path) -> int:
    """How many values all tensors of a checkpoint have.

    Raises:
        ModelError: the path does not exist or can't be read.
    """
    return sum(math.prod(shape) for shape in read_shapes(path).values())
