"""A loaded Stable Diffusion 2 model."""

from __future__ import annotations

from pathlib import Path

import torch

from lib_trainer.core.errors import ModelError
from lib_trainer.models.clip_tokens import Padding
from lib_trainer.models.open_clip import SeenAsClip
from lib_trainer.models.sd1_model import Sd1Model, open_source
from lib_trainer.models.sd1_settings import settings_of
from lib_trainer.models.sd2_layout import PREFIXES, RULE, read_sd2_layout


def load_sd2(path: Path, dtype: torch.dtype, device: torch.device) -> Sd2Model:
    """Read a single file or a diffusers folder.

    Raises:
        ModelError: the file can't be read, or tensors are missing in it or of the wrong shapes.
    """
    source = SeenAsClip(open_source(path), PREFIXES)
    layout = read_sd2_layout(path, source.shapes)
    return Sd2Model(source, layout, settings_of(path, layout, source.shapes, RULE), dtype, device)


class Sd2Model(Sd1Model):
    """The family's model; its text encoder has no last layer, so that the usual one is the last but one of the file."""

    family = "sd2"
    token_padding: Padding = "zero"

    def encode_text(self, ids: torch.Tensor, clip_skip: int) -> torch.Tensor:
        """Hidden states [n, 77, width] of the text encoder's last layer but one, behind its last norm.

        Raises:
            ModelError: layers are to be skipped, which the WebUI does not do for this family.
        """
        if clip_skip != 1:
            raise ModelError(
                f"Clip skip is {clip_skip}, but for Stable Diffusion 2 the WebUI takes the layer before the last, "
                f"whatever is set; {self.path} needs clip skip 1."
            )
        return super().encode_text(ids, 1)

    def _text_recipe(self) -> object:
        return ("sd2", super()._text_recipe())
