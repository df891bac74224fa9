"""What SDXL has of its own in a checkpoint: two text encoders, the second OpenCLIP's, and heads of one width."""

from __future__ import annotations

from pathlib import Path

from lib_trainer.models.model import Shapes
from lib_trainer.models.open_clip import Prefixes
from lib_trainer.models.reading import Reading
from lib_trainer.models.sd1_layout import Layout, read_layout
from lib_trainer.models.sd1_settings import Rule

FIRST, SECOND = "conditioner.embedders.0.transformer.", "conditioner.embedders.1.transformer."
PREFIXES = Prefixes("conditioner.embedders.1.model.", SECOND)
TEXT_NAMES = {
    f"{FIRST}text_model": "text_encoder.first",
    f"{SECOND}text_model": "text_encoder.second",
    f"{SECOND}text_projection": "text_encoder.text_projection",
}


def read_sdxl_layout(path: Path, shapes: Shapes) -> Layout:
    """The sizes of a checkpoint whose second text encoder is seen as CLIP's.

    Raises:
        ModelError: a tensor that gives a size is missing, or the levels don't follow the family's plan.
    """
    return read_layout(path, shapes, FIRST, SECOND)


READING = Reading(PREFIXES, Rule(unet_head_width=64, latent_factor=0.13025), read_sdxl_layout)
