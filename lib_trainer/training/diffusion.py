"""The mathematics of diffusion training as pure functions on tensors (Ho et al., 2020; Salimans & Ho, 2022)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from lib_trainer.models.model import Prediction


def draw_noise(shape: tuple[int, ...], generator: torch.Generator, offset: float = 0.0) -> Tensor:
    """White noise [n, c, h, w] plus `offset` times one value per picture and channel (noise offset, N. Guttenberg)."""
    noise = torch.randn(shape, generator=generator)
    if offset:
        noise += offset * torch.randn((*shape[:2], 1, 1), generator=generator)
    return noise


def add_noise(latents: Tensor, noise: Tensor, alphas_cumprod: Tensor) -> Tensor:
    """x_t = sqrt(a) x_0 + sqrt(1 - a) noise; `alphas_cumprod` [n] is that of each picture's timestep."""
    signal, spread = _signal_and_spread(alphas_cumprod)
    return signal * latents + spread * noise


def target(prediction: Prediction, latents: Tensor, noise: Tensor, alphas_cumprod: Tensor) -> Tensor:
    """What the model should answer: the noise, or the velocity sqrt(a) noise - sqrt(1 - a) x_0."""
    if prediction == "epsilon":
        return noise
    signal, spread = _signal_and_spread(alphas_cumprod)
    return signal * noise - spread * latents


def min_snr_weight(alphas_cumprod: Tensor, gamma: float, prediction: Prediction) -> Tensor:
    """Weights [n] that cap the signal-to-noise ratio (Hang et al., 2023).

    min(SNR, gamma) / SNR for epsilon, min(SNR, gamma) / (SNR + 1) for v, with SNR = a / (1 - a).
    """
    ratio = alphas_cumprod / (1 - alphas_cumprod)
    capped = ratio.clamp(max=gamma)
    if prediction == "v":
        return capped / (ratio + 1)
    return (capped / ratio).nan_to_num(1.0)  # where a schedule ends in noise alone the ratio is 0, and 1 the limit


def _signal_and_spread(alphas_cumprod: Tensor) -> tuple[Tensor, Tensor]:
    shaped = alphas_cumprod.view(-1, 1, 1, 1)
    return shaped.sqrt(), (1 - shaped).sqrt()
