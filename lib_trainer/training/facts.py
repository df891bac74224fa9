"""What a network's file says about the training it comes from."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lib_trainer.core.configs import dump
from lib_trainer.models.model import Prediction
from lib_trainer.training.options import TrainingOptions
from lib_trainer.weights.metadata import NetworkFacts


class Shown(Protocol):
    """A picture that is trained on, with its caption as it was found and its size in training."""

    @property
    def path(self) -> Path: ...

    @property
    def caption(self) -> str: ...

    @property
    def repeats(self) -> int: ...

    @property
    def bucket(self) -> tuple[int, int]: ...


class Known(Protocol):
    """What is known of a model before it is loaded and after."""

    @property
    def family(self) -> str: ...

    @property
    def prediction(self) -> Prediction: ...


@dataclass(frozen=True)
class Moment:
    """When a file is written: epochs and steps completed, and times in seconds since 1970."""

    epoch: int
    step: int
    started_at: float
    finished_at: float


def network_facts(
    options: TrainingOptions, model: Known, pictures: Sequence[Shown], moment: Moment
) -> NetworkFacts:
    """All facts of a training at one moment of it."""
    tags: dict[str, Counter[str]] = {}
    folders: dict[str, tuple[int, int]] = {}
    for picture in {picture.path: picture for picture in pictures}.values():
        folder = picture.path.parent.name
        folders[folder] = (picture.repeats, folders.get(folder, (0, 0))[1] + 1)
        tags.setdefault(folder, Counter()).update(tag.strip() for tag in picture.caption.split(",") if tag.strip())
    return NetworkFacts(
        family=model.family,
        base_name=options.model.name,
        prediction=model.prediction,
        resolution=options.dataset.buckets.resolution,
        clip_skip=options.clip_skip,
        trigger=options.dataset.trigger,
        started_at=moment.started_at,
        finished_at=moment.finished_at,
        epoch=moment.epoch,
        step=moment.step,
        seed=options.seed,
        options=_told(options),
        buckets=dict(Counter(picture.bucket for picture in pictures)),
        folders=folders,
        tags={folder: dict(counts) for folder, counts in tags.items()},
    )


def _told(options: TrainingOptions) -> dict[str, str]:
    """The options by kohya's keys."""
    optimizer, rates = dump(options)["optimizer"], options.learning_rates
    return {
        "ss_learning_rate": str(options.learning_rate),
        "ss_unet_lr": str(rates.get("unet")),
        "ss_text_encoder_lr": str(rates.get("text_encoder", rates.get("first_text_encoder"))),
        "ss_optimizer": f"{optimizer.pop('type')} {json.dumps(optimizer)}",
        "ss_lr_scheduler": dump(options)["schedule"]["type"],
        "ss_batch_size_per_device": str(options.batch_size),
        "ss_gradient_accumulation_steps": str(options.accumulate),
        "ss_mixed_precision": options.precision,
        "ss_noise_offset": str(options.diffusion.noise_offset),
        "ss_min_snr_gamma": str(options.diffusion.min_snr_gamma),
        **({"ss_prior_loss_weight": str(options.prior.weight)} if options.keeps_classes else {}),
        **({"ss_vae_name": options.vae.name} if options.vae else {}),
    }
