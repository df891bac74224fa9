"""The family of Stable Diffusion 1 models, of any size: how a file is recognised, and the door to loading it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lib_trainer.models.model import Family, Labels, Model, Shapes

if TYPE_CHECKING:
    import torch

    from lib_trainer.models.outline import Outline

LATENT_CHANNELS = 4


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
        """Whether a checkpoint with these tensor names and shapes (original layout) belongs to the family."""
        first = shapes.get("model.diffusion_model.input_blocks.0.0.weight", ())
        # A 1x1 convolution here; a linear layer in version 2 and SDXL.
        projection = shapes.get("model.diffusion_model.middle_block.1.proj_in.weight", ())
        return (
            len(first) == len(projection) == 4
            and first[1] == LATENT_CHANNELS
            and any(name.startswith("cond_stage_model.transformer.") for name in shapes)
            and any(name.startswith("first_stage_model.decoder.") for name in shapes)
        )

    @staticmethod
    def outline(path: Path, shapes: Shapes) -> Outline:
        """What those shapes tell of the checkpoint at `path`.

        Raises:
            ModelError: a tensor that gives a size is missing, or the configuration beside the model can't be used.
        """
        from lib_trainer.models.sd1_keys import KeyMap
        from lib_trainer.models.sd1_layout import read_layout, text_prefix
        from lib_trainer.models.sd1_names import Sd1Names
        from lib_trainer.models.sd1_outline import Read, outline_of
        from lib_trainer.models.sd1_settings import settings_of

        layout = read_layout(path, shapes)
        keys = KeyMap(layout, text_prefix(shapes))
        settings = settings_of(path, layout, shapes)
        names = Sd1Names(layout, keys)
        return outline_of(path, Read("sd1", shapes, layout, keys, names, settings.prediction))

    @staticmethod
    def load(path: Path, dtype: torch.dtype, device: torch.device) -> Model:
        """Read a single file or a diffusers folder straight into `dtype`, offline, with no random initialisation.

        Raises:
            ModelError: the file can't be read or something is missing in it.
        """
        from lib_trainer.models.sd1_model import load_sd1

        return load_sd1(path, dtype, device)
