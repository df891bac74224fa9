"""A model as its tensors' names and shapes tell it, without its weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from lib_trainer.models.model import Prediction


class Names(Protocol):
    """What modules are called in network files; see the protocol `Model`."""

    def network_name(self, part: str, module: str) -> str: ...

    def original_network_name(self, part: str, module: str) -> str: ...

    @property
    def webui_knows_network_names(self) -> bool: ...


@dataclass(frozen=True)
class Outline:
    """What can be known of a model before it is loaded.

    Args:
        prediction_told: whether that is said anywhere; else the loaded model is tried.
        modules: the shape of each module's weight, by the parts that can be trained ("unet", "text_encoder").
        biased: those of the modules that have a bias, as "unet.conv_in".
        values: how many numbers those parts have in all.
        looked_up: how many of them are only looked up, as the table of words is; these stay as they are stored.
        stored_bytes: bytes of a number in the file.
        width: channels of the U-Net's blocks, each level's counted by its share of the pixels, for one latent pixel.
        pixels_per_latent: pixels of a picture along one side of a latent pixel.
    """

    family: str
    prediction: Prediction
    prediction_told: bool
    modules: dict[str, dict[str, tuple[int, ...]]]
    biased: frozenset[str]
    values: int
    looked_up: int
    stored_bytes: int
    width: float
    pixels_per_latent: int
    names: Names
