"""Previews: the same prompts and seeds drawn again and again while training."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from lib_trainer.core.events import Progress, Saved
from lib_trainer.models.sampling import SampleRequest, infotext, sample
from lib_trainer.training.options import TrainingOptions
from lib_trainer.training.patience import patiently
from lib_trainer.training.picture_files import write_picture
from lib_trainer.training.session import Session
from lib_trainer.training.states import Place


def preview_request(options: TrainingOptions, step: int) -> SampleRequest:
    """What to draw; the training resolution counts rounded down to a multiple of `step` px, as a model needs it."""
    told = options.previews
    resolution = options.dataset.buckets.resolution // step * step
    return SampleRequest(
        prompts=told.prompts,
        seeds=tuple(told.seed + number for number in range(len(told.prompts))),
        negative_prompt=told.negative_prompt,
        steps=told.steps,
        cfg_scale=told.cfg_scale,
        sampler=told.sampler,
        width=told.width or resolution,
        height=told.height or resolution,
        clip_skip=options.clip_skip,
    )


def draw_previews(session: Session, place: Place) -> list[Path]:
    """Draw one picture for each prompt into the run's samples; none if there are no prompts, or on a stop.

    Raises:
        StopRequested, OutputError: as `patiently`.
    """
    run = session.run
    if not session.options.previews.prompts:
        return []
    request = preview_request(session.options, session.model.pixels_per_latent)

    def on_step(done: int, total: int) -> bool:
        run.append(Progress("Drawing previews", done, total, "sampling steps"))
        return run.stop_requested()

    pictures = sample(session.model, request, on_step)
    session.model.release_vae()
    paths = []
    for number, picture in enumerate(pictures):
        path = run.samples / f"e{place.epoch:03d}-s{place.step:06d}-{number + 1}.png"
        told = infotext(request, number, session.options.model.stem)
        patiently(run, str(path), partial(write_picture, path, picture, told))
        run.append(Saved("picture", str(path), place.step, place.epoch))
        paths.append(path)
    return paths
