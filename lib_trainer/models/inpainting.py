"""What an inpainting model is told where nothing of a picture is kept: text to image, as AUTOMATIC1111 does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from lib_trainer.models.model import Model


@torch.no_grad()
def all_anew(model: Model, height: int, width: int) -> torch.Tensor:
    """A mask of ones and the latents of a picture of even grey, [5, height, width]; the VAE is loaded if need be."""
    sides = height * model.pixels_per_latent, width * model.pixels_per_latent
    grey, _ = model.encode_pictures(torch.zeros(1, 3, *sides))
    return torch.cat([torch.ones_like(grey[0, :1]), grey[0]])
