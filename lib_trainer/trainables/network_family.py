"""Which family of models a network file was made for, by what its header says and by its tensors' names and shapes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lib_trainer.core.errors import ModelError
from lib_trainer.models.families import FAMILIES
from lib_trainer.models.tensor_headers import read_header
from lib_trainer.trainables.base import Shape

ONLY_XL = ("lora_te1_", "lora_te2_", "lora_unet_label_emb_", "lora_unet_add_embedding_")
# The layers that see the text are as wide inside as the text encoders' states, in the families' own sizes.
SEES_TEXT = "attn2_to_k"
TEXT_WIDTHS = {768: "sd1", 1024: "sd2", 2048: "sdxl"}
INSIDE_LAST = ("lora_down.weight", "lora_A.weight", "hada_w1_b", "diff")


def read_network_family(path: Path) -> str | None:
    """The family of a network file's models by the table's name, or None where it does not tell.

    Raises:
        ModelError: the file can't be read.
    """
    if path.suffix.lower() == ".safetensors":
        header = read_header(path)
        return family_of_network({name: stored.shape for name, stored in header.stored.items()}, header.metadata)
    from lib_trainer.models.tensor_files import open_tensors

    file = open_tensors(path)
    return family_of_network(file.shapes, file.metadata)


def family_of_network(shapes: Mapping[str, Shape], told: Mapping[str, str]) -> str | None:
    """The same of a file with these tensors and this header."""
    if any(name.startswith(ONLY_XL) for name in shapes):
        return "sdxl"
    widths = {_inside(shape) for name, shape in shapes.items() if SEES_TEXT in name and name.endswith(INSIDE_LAST)}
    known = {TEXT_WIDTHS[width] for width in widths if width in TEXT_WIDTHS}
    return next(iter(known)) if len(known) == 1 else _told_family(told)


def _inside(shape: Shape) -> int:
    return shape[1] if len(shape) > 1 else 0


def _told_family(told: Mapping[str, str]) -> str | None:
    for name, family in FAMILIES.items():
        labels = family.labels
        if told.get("modelspec.architecture") in labels.architecture.values():
            return name
        if told.get("ss_base_model_version") in labels.base.values():
            return name
    return None


def misfit(path: Path, family: str) -> str | None:
    """A few words if a network file was made for models of another family than this one.

    Raises:
        ModelError: the file can't be read.
    """
    made_for = read_network_family(path)
    if made_for in (None, family):
        return None
    assert made_for is not None
    return f"it was made for {FAMILIES[made_for].labels.webui} models, and this is {FAMILIES[family].labels.webui}"


def misfit_if_readable(path: Path, family: str) -> str | None:
    """The same for a message about a file that could not be opened."""
    try:
        return misfit(path, family)
    except ModelError:
        return None
