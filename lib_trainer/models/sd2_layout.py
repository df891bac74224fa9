"""What Stable Diffusion 2 has of its own in a checkpoint: an OpenCLIP text encoder, and heads of one width."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lib_trainer.models.model import Shapes
from lib_trainer.models.open_clip import Prefixes
from lib_trainer.models.reading import Reading
from lib_trainer.models.sd1_layout import TEXT, Layout, read_layout
from lib_trainer.models.sd1_settings import Rule

PREFIXES = Prefixes("cond_stage_model.model.", TEXT)


def read_sd2_layout(path: Path, shapes: Shapes) -> Layout:
    """The sizes of a checkpoint whose text encoder is seen as CLIP's, without that encoder's last layer.

    The family was trained on the states of the last but one; files carry the last all the same.

    Raises:
        ModelError: a tensor that gives a size is missing, or the levels don't follow the family's plan.
    """
    layout = read_layout(path, shapes)
    return replace(layout, text=replace(layout.text, layers=layout.text.layers - 1))


def without_last_layer(shapes: Shapes, layout: Layout) -> dict[str, tuple[int, ...]]:
    """The same shapes without the text encoder's layer that is not used."""
    unused = f"{TEXT}text_model.encoder.layers.{layout.text.layers}."
    return {name: tuple(shape) for name, shape in shapes.items() if not name.startswith(unused)}


READING = Reading(PREFIXES, Rule(unet_head_width=64, text_activation="gelu", tells_prediction=False), read_sd2_layout)
