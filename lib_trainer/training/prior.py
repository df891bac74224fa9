"""The prior loss of DreamBooth: what is added for the classes of the concepts (Ruiz et al., 2022)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lib_trainer.core.units import Every
from lib_trainer.dataset.dataset import Batch
from lib_trainer.training.length import Length
from lib_trainer.training.prior_options import PriorOptions

if TYPE_CHECKING:
    from lib_trainer.training.session import Session


def prior_weight(options: PriorOptions, step: int, length: Length) -> float:
    """The weight at a step (from 0): falling evenly from the first step, at its least from the end of the fall on."""
    if options.final_weight is None:
        return options.weight
    falling = length.steps - 1
    if options.falling_epochs is not None:
        ends = [*length.moments(Every(options.falling_epochs, "epoch")), falling]
        falling = min(falling, ends[0])
    done = min(1.0, step / falling) if falling else 0.0
    return options.weight + (options.final_weight - options.weight) * done


@dataclass
class PriorLoss:
    """The mean loss on what a step shows of the classes, and what it is multiplied by before it is added."""

    weight: float
    value: float = 0.0
    pictures: int = 0

    def shares(self, losses: Tensor, batch: Batch, pictures: int) -> tuple[Tensor, Tensor]:
        """What a batch's losses [n] add to the step's: that of the pictures to learn, and that with the classes' added.

            own = sum of the losses to learn / pictures,  whole = own + weight x sum of those of the classes / pictures

        `pictures` is how many the step learns.
        """
        own = losses[: batch.to_learn].sum() / pictures
        if not batch.prior:
            return own, own
        kept = losses[batch.to_learn :].sum()
        self.value = (self.value * self.pictures + float(kept.detach())) / (self.pictures + batch.prior)
        self.pictures += batch.prior
        return own, own + self.weight * kept / pictures


@torch.no_grad()
def hold_on(session: Session, batch: Batch, noisy: Tensor, timesteps: Tensor, wanted: Tensor) -> Tensor:
    """`wanted` [n, c, h, w] with the untouched model's own answers where a batch shows the classes."""
    # Captions of several windows are filled up to the longest that they are shown with: all must be there then.
    kept = slice(0 if session.options.text.reading == "webui" else batch.to_learn, None)
    around = None if batch.around is None else batch.around[kept]
    session.network.set_strength(0)
    try:
        answer = session.denoise(noisy[kept], timesteps[kept], batch.captions[kept], batch.frames[kept], around)
    finally:
        session.network.set_strength(1)
    return torch.cat([wanted[: batch.to_learn], answer[-batch.prior :].to(wanted)])
