"""One step: forward and backward over the batches of a window, one update of the weights."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from lib_trainer.core.errors import TrainingError
from lib_trainer.core.events import Notice
from lib_trainer.dataset.dataset import Batch
from lib_trainer.training.diffusion import add_noise, draw_noise, min_snr_weight, target
from lib_trainer.training.masked_loss import picture_losses
from lib_trainer.training.prior import PriorLoss, hold_on, prior_weight
from lib_trainer.training.randomness import generator
from lib_trainer.training.session import Session

BAD_STEPS_IN_A_ROW = 3


@dataclass
class Stepper:
    """Takes steps and watches that losses and gradients stay finite; `prior` is of the last one."""

    session: Session
    bad_steps: int = 0
    prior: PriorLoss | None = None

    def step(self, number: int, window: list[Batch]) -> float | None:
        """Step `number` (from 0) on all batches of the window, averaged over their pictures.

        Returns:
            The loss of what is to be learned, or None if it or the gradient was not finite: the weights are as before
            then.

        Raises:
            TrainingError: that happened three times in a row.
        """
        session, options = self.session, self.session.options
        factor = options.schedule.factor(number, session.total_steps)
        for group, (_, rate) in zip(session.optimizer.param_groups, session.group_rates, strict=True):
            group["lr"] = rate * factor
        pictures = sum(batch.to_learn for batch in window)
        loss, kept = 0.0, PriorLoss(prior_weight(options.prior, number, session.length))
        for place, batch in enumerate(window):
            own, whole = kept.shares(self._loss(batch, number, place), batch, pictures)
            loss += float(own.detach())
            if not math.isfinite(loss + kept.value):
                break
            session.accelerator.backward(whole)
        self.prior = kept if kept.pictures else None
        finite = math.isfinite(loss + kept.value) and self._update()
        if finite:
            session.network.settle()
        session.optimizer.zero_grad(set_to_none=True)
        self._count(number, finite, window)
        return loss if finite else None

    def _loss(self, batch: Batch, number: int, place: int) -> Tensor:
        """The weighted loss of each picture [n]; all that is drawn by chance follows from the seed and the place."""
        session, options = self.session, self.session.options
        latents, noise, timesteps = self._draw(batch, number, place)
        alphas = session.model.alphas_cumprod[timesteps]
        noisy = add_noise(latents, noise, alphas)
        answer = session.denoise(noisy, timesteps, batch.captions, batch.frames, batch.around)
        wanted = target(session.prediction, latents, noise, alphas).to(answer.device)
        if batch.prior and options.prior.kind == "prediction":
            wanted = hold_on(session, batch, noisy, timesteps, wanted)
        losses = picture_losses(options.loss.per_value(answer, wanted), batch.masks, options.dataset.masks)
        if batch.weights is not None:
            losses = losses * batch.weights.to(losses.device)
        if options.diffusion.min_snr_gamma is not None:
            weight = min_snr_weight(alphas, options.diffusion.min_snr_gamma, session.prediction)
            losses = losses * weight.to(losses.device)
        return losses

    def _draw(self, batch: Batch, number: int, place: int) -> list[Tensor]:
        """Latents, noise and timesteps; what is learned has the same ones with a prior and without."""
        seed, own = self.session.options.seed, slice(0, batch.to_learn)
        drawn = [self._draw_some(batch.mean[own], batch.std[own], generator(seed, "step", number, place))]
        if batch.prior:
            kept, random = slice(batch.to_learn, None), generator(seed, "prior", number, place)
            drawn.append(self._draw_some(batch.mean[kept], batch.std[kept], random))
        return [torch.cat(parts) for parts in zip(*drawn, strict=True)]

    def _draw_some(self, mean: Tensor, std: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        latents = mean + std * torch.randn(mean.shape, generator=random)
        noise = draw_noise(tuple(latents.shape), random, self.session.options.diffusion.noise_offset)
        levels = len(self.session.model.alphas_cumprod)
        return latents, noise, torch.randint(0, levels, (len(latents),), generator=random)

    def _update(self) -> bool:
        """Clip and take the step; whether the gradient was finite."""
        session = self.session
        limit = session.options.max_grad_norm
        norm = session.accelerator.clip_grad_norm_(session.parameters, math.inf if limit is None else limit)
        if session.accelerator.scaler is not None:
            session.optimizer.step()  # fp16's loss scaler leaves out overflowing steps itself, and scales less after
            return True
        if not math.isfinite(float(norm)):
            return False
        session.optimizer.step()
        return True

    def _count(self, number: int, finite: bool, window: list[Batch]) -> None:
        self.bad_steps = 0 if finite else self.bad_steps + 1
        if finite:
            return
        names = ", ".join(str(path) for batch in window for path in batch.paths[:2])
        said = f"Step {number + 1}: the loss or its gradient is not finite, on {names}"
        if self.bad_steps >= BAD_STEPS_IN_A_ROW:
            raise TrainingError(
                f"{said}; {self.bad_steps} times in a row. Training was stopped and the last good state is kept. "
                f"Lower 'learning_rate' (now {self.session.options.learning_rate:g}), or choose precision fp32."
            )
        self.session.run.append(Notice(f"{said}; the step was left out.", level="warning"))
