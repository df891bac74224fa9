"""The family of Stable Diffusion 2 models, base and 768-v, of any size."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lib_trainer.models.model import Family, Labels, Model, Place, Shapes
from lib_trainer.models.recognition import LABELS, is_whole

if TYPE_CHECKING:
    import torch

    from lib_trainer.models.outline import Outline

FIRST_LAYER = "cond_stage_model.model.transformer.resblocks.0.attn.in_proj_weight"


class StableDiffusion2(Family):
    """Stable Diffusion 2.x and everything of its architecture: one OpenCLIP text encoder, a U-Net, an autoencoder."""

    name = "sd2"
    can_skip_text_layers = False
    labels = Labels(
        webui="SD2",
        is_v2=True,
        base={"epsilon": "sd_v2", "v": "sd_v2_v"},
        architecture={"epsilon": "stable-diffusion-v2-512/lora", "v": "stable-diffusion-v2-768-v/lora"},
    )

    @staticmethod
    def recognises(shapes: Shapes) -> bool:
        return is_whole(shapes, FIRST_LAYER) and LABELS not in shapes

    @staticmethod
    def outline(path: Path, shapes: Shapes) -> Outline:
        from lib_trainer.models.sd1_keys import KeyMap
        from lib_trainer.models.sd1_layout import text_prefix
        from lib_trainer.models.sd1_names import Sd1Names
        from lib_trainer.models.sd1_outline import Read, outline_of
        from lib_trainer.models.sd2_layout import READING, without_last_layer

        seen = READING.seen(shapes)
        layout, settings = READING.sizes(path, seen)
        keys = KeyMap(layout, text_prefix(seen))
        used = without_last_layer(seen, layout)
        return outline_of(path, Read("sd2", used, layout, keys, Sd1Names(layout, keys), settings))

    @staticmethod
    def load(place: Place, dtype: torch.dtype, device: torch.device) -> Model:
        from lib_trainer.models.sd2_layout import READING
        from lib_trainer.models.sd2_model import Sd2Model

        return READING.load(place, Sd2Model, dtype, device)
