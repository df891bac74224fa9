"""A loaded Stable Diffusion 2 model."""

from __future__ import annotations

from lib_trainer.models.clip_tokens import Padding
from lib_trainer.models.sd1_model import Sd1Model


class Sd2Model(Sd1Model):
    """The family's model; its text encoder has no last layer, so that the usual one is the last but one of the file."""

    family = "sd2"
    token_padding: Padding = "zero"
    no_clip_skip = "Stable Diffusion 2 the WebUI takes the layer before the last"

    def _text_recipe(self) -> object:
        return ("sd2", super()._text_recipe())
