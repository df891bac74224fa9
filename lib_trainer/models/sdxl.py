"""The family of SDXL models, of any size."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lib_trainer.models.model import Family, Labels, Model, Place, Shapes
from lib_trainer.models.recognition import LABELS, is_whole

if TYPE_CHECKING:
    import torch

    from lib_trainer.models.outline import Outline

ARCHITECTURE = "stable-diffusion-xl-v1-base/lora"
FIRST_TEXT = "conditioner.embedders.0.transformer."
FIRST_LAYER = "conditioner.embedders.1.model.transformer.resblocks.0.attn.in_proj_weight"


class StableDiffusionXL(Family):
    """SDXL 1.0 and everything of its architecture: two text encoders, a U-Net told of sizes, an autoencoder."""

    name = "sdxl"
    can_skip_text_layers = False
    labels = Labels(
        webui="SDXL",
        is_v2=False,
        base={"epsilon": "sdxl_base_v1-0", "v": "sdxl_base_v1-0"},
        architecture={"epsilon": ARCHITECTURE, "v": ARCHITECTURE},
    )

    @staticmethod
    def recognises(shapes: Shapes) -> bool:
        return is_whole(shapes, FIRST_TEXT, FIRST_LAYER) and LABELS in shapes

    @staticmethod
    def outline(path: Path, shapes: Shapes) -> Outline:
        from lib_trainer.models.sd1_keys import KeyMap
        from lib_trainer.models.sd1_outline import Read, outline_of
        from lib_trainer.models.sdxl_layout import READING, TEXT_NAMES
        from lib_trainer.models.sdxl_names import SdxlNames

        seen = READING.seen(shapes)
        layout, settings = READING.sizes(path, seen)
        keys = KeyMap(layout, TEXT_NAMES)
        return outline_of(path, Read("sdxl", seen, layout, keys, SdxlNames(keys), settings))

    @staticmethod
    def load(place: Place, dtype: torch.dtype, device: torch.device) -> Model:
        from lib_trainer.models.sdxl_layout import READING
        from lib_trainer.models.sdxl_model import SdxlModel

        return READING.load(place, SdxlModel, dtype, device)
