"""The family of SDXL models, of any size."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lib_trainer.models.model import Family, Labels, Model, Shapes

if TYPE_CHECKING:
    import torch

    from lib_trainer.models.outline import Outline

LATENT_CHANNELS = 4
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
        """Whether a checkpoint with these tensor names and shapes (original layout) belongs to the family."""
        first = shapes.get("model.diffusion_model.input_blocks.0.0.weight", ())
        return (
            len(first) == 4
            and first[1] == LATENT_CHANNELS
            and "model.diffusion_model.label_emb.0.0.weight" in shapes
            and any(name.startswith(FIRST_TEXT) for name in shapes)
            and FIRST_LAYER in shapes
            and any(name.startswith("first_stage_model.decoder.") for name in shapes)
        )

    @staticmethod
    def outline(path: Path, shapes: Shapes) -> Outline:
        """What those shapes tell of the checkpoint at `path`.

        Raises:
            ModelError: a tensor that gives a size is missing, or the configuration beside the model can't be used.
        """
        from lib_trainer.models.open_clip import as_clip
        from lib_trainer.models.sd1_keys import KeyMap
        from lib_trainer.models.sd1_outline import Read, outline_of
        from lib_trainer.models.sd1_settings import settings_of
        from lib_trainer.models.sdxl_layout import PREFIXES, RULE, TEXT_NAMES, read_sdxl_layout
        from lib_trainer.models.sdxl_names import SdxlNames

        seen = as_clip(shapes, PREFIXES)
        layout = read_sdxl_layout(path, seen)
        keys = KeyMap(layout, TEXT_NAMES)
        settings = settings_of(path, layout, shapes, RULE)
        return outline_of(path, Read("sdxl", seen, layout, keys, SdxlNames(keys), settings.prediction))

    @staticmethod
    def load(path: Path, dtype: torch.dtype, device: torch.device) -> Model:
        """Read a single file or a diffusers folder straight into `dtype`, offline, with no random initialisation.

        Raises:
            ModelError: the file can't be read or something is missing in it.
        """
        from lib_trainer.models.sdxl_model import load_sdxl

        return load_sdxl(path, dtype, device)
