"""What all Stable Diffusion checkpoints have in common, by which a family is told from other models."""

from __future__ import annotations

from lib_trainer.models.model import Shapes

LATENT_CHANNELS = 4
INPAINTING_CHANNELS = 9  # with the mask and the latents of what is around it
FIRST = "model.diffusion_model.input_blocks.0.0.weight"
PROJECTION = "model.diffusion_model.middle_block.1.proj_in.weight"
LABELS = "model.diffusion_model.label_emb.0.0.weight"  # the U-Net is told of sizes and the pooled text
DECODER = "first_stage_model.decoder."


def is_whole(shapes: Shapes, *text_encoders: str) -> bool:
    """Whether it has a U-Net for plain latents or inpainting, a decoder, and for each text encoder such a tensor."""
    first = shapes.get(FIRST, ())
    return (
        len(first) == 4
        and first[1] in (LATENT_CHANNELS, INPAINTING_CHANNELS)
        and all(any(name.startswith(start) for name in shapes) for start in (DECODER, *text_encoders))
    )
