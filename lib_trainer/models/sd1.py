"""The family of Stable Diffusion 1 models, of any size: how a file is recognised, and the door to loading it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lib_trainer.models.model import Family, Labels, Model, Place, Shapes
from lib_trainer.models.recognition import PROJECTION, is_whole

if TYPE_CHECKING:
    import torch

    from lib_trainer.models.outline import Outline


class StableDiffusion1(Family):
    """Stable Diffusion 1.x and everything of its architecture: one CLIP text encoder, a U-Net, an autoencoder."""

    name = "sd1"
    can_skip_text_layers = True
    labels = Labels(
        webui="SD1",
        is_v2=False,
        base={"epsilon": "sd_v1", "v": "sd_v1"},
        architecture={"epsilon": "stable-diffusion-v1/lora", "v": "stable-diffusion-v1/lora"},
    )

    @staticmethod
    def recognises(shapes: Shapes) -> bool:
        # A 1x1 convolution here; a linear layer in version 2 and SDXL.
        return is_whole(shapes, "cond_stage_model.transformer.") and len(shapes.get(PROJECTION, ())) == 4

    @staticmethod
    def outline(path: Path, shapes: Shapes) -> Outline:
        from lib_trainer.models.reading import SD1_READING
        from lib_trainer.models.sd1_keys import KeyMap
        from lib_trainer.models.sd1_layout import text_prefix
        from lib_trainer.models.sd1_names import Sd1Names
        from lib_trainer.models.sd1_outline import Read, outline_of

        layout, settings = SD1_READING.sizes(path, shapes)
        keys = KeyMap(layout, text_prefix(shapes))
        return outline_of(path, Read("sd1", shapes, layout, keys, Sd1Names(layout, keys), settings))

    @staticmethod
    def load(place: Place, dtype: torch.dtype, device: torch.device) -> Model:
        from lib_trainer.models.reading import SD1_READING
        from lib_trainer.models.sd1_model import Sd1Model

        return SD1_READING.load(place, Sd1Model, dtype, device)
