"""A loaded Stable Diffusion 2 model."""

from __future__ import annotations

from functools import cached_property

import torch

from lib_trainer.models.clip_tokens import Padding
from lib_trainer.models.prediction_trial import tried_prediction
from lib_trainer.models.sd1_model import Sd1Model


class Sd2Model(Sd1Model):
    """The family's model; its text encoder has no last layer, so that the usual one is the last but one of the file."""

    family = "sd2"
    token_padding: Padding = "zero"
    no_clip_skip = "Stable Diffusion 2 the WebUI takes the layer before the last"

    @cached_property
    def parts(self) -> dict[str, torch.nn.Module]:
        """The trainable parts, read when first asked for; what a silent file predicts is tried out then."""
        parts = super().parts
        if not self.prediction_told and not self.is_inpainting:  # which the WebUI takes for one of the noise
            unet = self._layout.unet
            self.prediction = tried_prediction(parts["unet"], unet.input_channels, unet.text_width)
        return parts

    def _text_recipe(self) -> object:
        return ("sd2", super()._text_recipe())
