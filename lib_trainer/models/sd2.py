"""The family of Stable Diffusion 2 models, base and 768-v, of any size."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lib_trainer.models.model import Family, Labels, Model, Shapes

if TYPE_CHECKING:
    import torch

    from lib_trainer.models.outline import Outline

LATENT_CHANNELS = 4
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
        """Whether a checkpoint with these tensor names and shapes (original layout) belongs to the family."""
        first = shapes.get("model.diffusion_model.input_blocks.0.0.weight", ())
        return (
            len(first) == 4
            and first[1] == LATENT_CHANNELS
            and "model.diffusion_model.label_emb.0.0.weight" not in shapes
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
        from lib_trainer.models.sd1_layout import text_prefix
        from lib_trainer.models.sd1_names import Sd1Names
        from lib_trainer.models.sd1_outline import Read, outline_of
        from lib_trainer.models.sd1_settings import settings_of
        from lib_trainer.models.sd2_layout import PREFIXES, RULE, read_sd2_layout, without_last_layer

        seen = as_clip(shapes, PREFIXES)
        layout = read_sd2_layout(path, seen)
        keys = KeyMap(layout, text_prefix(seen))
        settings = settings_of(path, layout, shapes, RULE)
        used = without_last_layer(seen, layout)
        return outline_of(path, Read("sd2", used, layout, keys, Sd1Names(layout, keys), settings.prediction))

    @staticmethod
    def load(path: Path, dtype: torch.dtype, device: torch.device) -> Model:
        """Read a single file or a diffusers folder straight into `dtype`, offline, with no random initialisation.

        Raises:
            ModelError: the file can't be read or something is missing in it.
        """
        from lib_trainer.models.sd2_model import load_sd2

        return load_sd2(path, dtype, device)
