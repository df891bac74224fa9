"""The loss on pictures kept aside, always on one table of (picture, timestep, noise), so that it can be compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from lib_trainer.dataset.dataset import Batch
from lib_trainer.models.model import Prediction
from lib_trainer.training.diffusion import add_noise, draw_noise, target
from lib_trainer.training.randomness import generator

Denoise = Callable[[Tensor, Tensor, list[str], Tensor, Tensor | None], Tensor]


@dataclass(frozen=True)
class Shown:
    """A picture: its clean latent [c, h, w], its caption, and what `Model.predict` is told of it besides."""

    latent: Tensor
    caption: str
    frame: Tensor
    around: Tensor | None = None


def shown_in(batch: Batch) -> list[Shown]:
    """The pictures of a batch."""
    around = batch.around if batch.around is not None else [None] * len(batch.captions)
    return [Shown(*each) for each in zip(batch.mean, batch.captions, batch.frames, around, strict=True)]


@dataclass(frozen=True)
class Row:
    """One line of the table: a picture, a timestep, and the noise [c, h, w]."""

    latent: Tensor
    caption: str
    frame: Tensor
    timestep: int
    noise: Tensor
    around: Tensor | None = None


def fixed_table(pictures: list[Shown], timesteps: int, seed: int) -> list[Row]:
    """Every picture at evenly spread timesteps (the middles of equal parts of 0..999), each with noise of its own.

    The noise depends on the seed and the numbers of the picture and of the timestep, not on the training.
    """
    rows = []
    for picture, shown in enumerate(pictures):
        for part in range(timesteps):
            timestep = (2 * part + 1) * 1000 // (2 * timesteps)
            noise = draw_noise((1, *shown.latent.shape), generator(seed, "held out", picture, part))[0]
            rows.append(Row(shown.latent, shown.caption, shown.frame, timestep, noise, shown.around))
    return rows


@torch.no_grad()
def table_loss(
    rows: list[Row],
    denoise: Denoise,
    alphas_cumprod: Tensor,
    prediction: Prediction,
    batch: int,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> float:
    """The plain mean squared error, averaged over the rows; `alphas_cumprod` [1000] on the CPU.

    `on_progress` is called with the rows done and all rows; what it raises ends the measuring.
    """
    total, done = 0.0, 0
    for rows_of_size in _batches(rows, batch):
        latents = torch.stack([row.latent for row in rows_of_size])
        noise = torch.stack([row.noise for row in rows_of_size])
        timesteps = torch.tensor([row.timestep for row in rows_of_size])
        alphas = alphas_cumprod[timesteps]
        noisy = add_noise(latents, noise, alphas)
        frames = torch.stack([row.frame for row in rows_of_size])
        told = [row.around for row in rows_of_size if row.around is not None]
        around = torch.stack(told) if told else None
        answer = denoise(noisy, timesteps, [row.caption for row in rows_of_size], frames, around).float().cpu()
        errors = (answer - target(prediction, latents, noise, alphas)).square().mean(dim=(1, 2, 3))
        total += float(errors.double().sum())
        done += len(rows_of_size)
        on_progress(done, len(rows))
    return total / len(rows)


def _batches(rows: list[Row], batch: int) -> list[list[Row]]:
    """Rows of one size together, in a stable order."""
    by_size: dict[torch.Size, list[Row]] = {}
    for row in rows:
        by_size.setdefault(row.latent.shape, []).append(row)
    return [same[start : start + batch] for same in by_size.values() for start in range(0, len(same), batch)]
