"""How much of a picture is left at each timestep of the models' noise schedule."""

from __future__ import annotations

import torch


def scaled_linear(first: float, last: float, timesteps: int, zero_terminal_snr: bool = False) -> torch.Tensor:
    """The share of signal [timesteps], fp32, of latent diffusion models: their betas' roots grow evenly.

    With `zero_terminal_snr` the last timestep has none at all (Lin et al., 2023, algorithm 1).
    """
    betas = torch.linspace(first**0.5, last**0.5, timesteps, dtype=torch.float64) ** 2
    shares = torch.cumprod(1.0 - betas, dim=0)
    return (without_rest(shares) if zero_terminal_snr else shares).float()


def without_rest(shares: torch.Tensor) -> torch.Tensor:
    """The same shares of signal with their roots shifted and stretched: the first stays, the last becomes zero."""
    roots = shares.sqrt()
    return ((roots - roots[-1]) * (roots[0] / (roots[0] - roots[-1]))) ** 2
