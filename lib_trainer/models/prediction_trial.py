"""Whether a Stable Diffusion 2 model predicts the noise or the velocity, tried out where its file says nothing."""

from __future__ import annotations

from typing import Any

import torch

from lib_trainer.models.model import Prediction

# AUTOMATIC1111's trial, whose answer is what the file is going to be used with: at the last timestep a model of the
# noise answers about what it is given; one of the velocity answers the picture's negative, which lies far below.
VALUE, SIDE, WORDS, TIMESTEP, LIMIT = 0.5, 8, 2, 999, -1.0


@torch.no_grad()
def tried_prediction(unet: Any, channels: int, text_width: int) -> Prediction:
    """What the U-Net of so many input channels predicts, by its answer to even grey at the last timestep."""
    like = next(unet.parameters())
    noisy = torch.full((1, channels, SIDE, SIDE), VALUE, device=like.device, dtype=like.dtype)
    text = torch.full((1, WORDS, text_width), VALUE, device=like.device, dtype=like.dtype)
    answer = unet(noisy, torch.tensor([TIMESTEP], device=like.device), text, return_dict=False)[0]
    return "v" if float((answer - VALUE).float().mean()) < LIMIT else "epsilon"
