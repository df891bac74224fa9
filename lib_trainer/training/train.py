"""The step `train`: open what it works with, resume if there is a state, go through the epochs."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

import torch

from lib_trainer.core.configs import dump
from lib_trainer.core.errors import StopRequested, TrainingError
from lib_trainer.core.events import Loss, Notice
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.dataset.dataset import BatchPlan
from lib_trainer.models.precision import machine_with
from lib_trainer.training.chores import Chores, training_progress
from lib_trainer.training.options import TrainingOptions
from lib_trainer.training.outputs import identity, remove_leftovers
from lib_trainer.training.randomness import restore_global_states
from lib_trainer.training.session import Session, open_session
from lib_trainer.training.states import Place, digest, newest_state
from lib_trainer.training.step import Stepper
from lib_trainer.training.timings import StepTimes

OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")


def train(options: TrainingOptions, run: RunDirectory) -> dict[str, Any]:
    """Train, or go on training, and return the files made and the held-out losses.

    Raises:
        TrainerError: anything the user can mend.
    """
    try:
        return _train(options, run)
    except StopRequested:
        return {}
    except (torch.OutOfMemoryError, RuntimeError) as error:
        if not any(words in str(error).lower() for words in OUT_OF_MEMORY):
            raise
        raise TrainingError(_what_to_lower(options)) from error


def _train(options: TrainingOptions, run: RunDirectory) -> dict[str, Any]:
    files = identity(run, options.output_folder, options.name)
    remove_leftovers(run, files)
    session = open_session(options, run)
    chores = Chores(session, files, _belongs_to(session))
    place = _resume(session, chores)
    times = StepTimes(options, machine_with(session.model.device))
    _run_epochs(session, chores, place, times)
    times.remember()
    if not run.stop_requested():
        chores.save(place)
    return {
        "name": files.name,
        "networks": place.saved,
        "held_out_loss": _losses(place),
        "steps": place.step,
        "epochs": place.epoch,
    }


def _run_epochs(session: Session, chores: Chores, place: Place, times: StepTimes) -> None:
    stepper = Stepper(session)
    session.run.append(training_progress(session, place))
    chores.before_training(place)
    while place.step < session.total_steps and not session.run.stop_requested():
        epoch = place.epoch
        in_epoch = session.dataset.batches_in(epoch)
        for window in _windows(session, epoch)[place.batch // session.options.accumulate :]:
            times.begin()
            batches = [session.dataset.load(plan, epoch, place.batch / in_epoch) for plan in window]
            loss = stepper.step(place.step, batches)
            times.end()
            place.step += 1
            place.batch += len(window)
            if place.batch >= in_epoch:
                place.epoch, place.batch = epoch + 1, 0
            if loss is not None:
                session.run.append(_loss(session, stepper, place.step, epoch, loss))
            session.run.append(training_progress(session, place))
            chores.after_step(place)
            if session.run.stop_requested() or place.step >= session.total_steps:
                return


def _windows(session: Session, epoch: int) -> list[list[BatchPlan]]:
    """The batches of an epoch, as many together as make one step; the last step of an epoch may have fewer."""
    batches = session.dataset.batches(epoch)
    size = session.options.accumulate
    return [batches[start : start + size] for start in range(0, len(batches), size)]


def _loss(session: Session, stepper: Stepper, step: int, epoch: int, value: float) -> Loss:
    kept, rates = stepper.prior, _rates_now(session)
    if kept is None:
        return Loss(step, epoch, value, rates)
    return Loss(step, epoch, value, rates, kept.value, kept.weight)


def _rates_now(session: Session) -> dict[str, float]:
    """Of each part; where its groups differ, that of the first."""
    groups = zip(session.group_rates, session.optimizer.param_groups, strict=True)
    return {part: group["lr"] for (part, _), group in reversed(list(groups))}


def _belongs_to(session: Session) -> str:
    """What must be the same for a state to be resumed: all options, and the pictures with their captions."""
    entries = [
        (entry.view.digest, entry.caption, entry.repeats, entry.bucket, entry.mask and entry.mask.digest, entry.rating,
         astuple(entry.own))
        for entry in session.dataset.entries
    ]
    prior = session.dataset.prior
    kept = [] if prior is None else [prior.facts]  # nothing more where nothing is kept, as in older states
    return digest(dump(session.options), entries, len(session.held_out), *kept)


def _resume(session: Session, chores: Chores) -> Place:
    """Load the newest state, if there is one, into the session; returns the place to go on from."""
    found = newest_state(session.run, chores.belongs_to)
    if found is None:
        return Place()
    place, contents = found
    session.network.load_tensors(contents["network"])
    session.optimizer.load_state_dict(contents["optimizer"])
    if session.accelerator.scaler is not None and contents["scaler"]:
        session.accelerator.scaler.load_state_dict(contents["scaler"])
    restore_global_states(contents["random"])
    chores.state_step = place.step
    session.run.append(Notice(f"Going on after step {place.step} of {session.total_steps}."))
    return place


def _losses(place: Place) -> dict[str, Any]:
    epochs = {key: loss for key, loss in place.held_out.items() if key != "base"}
    return {"base": place.held_out.get("base"), "epochs": epochs}


def _what_to_lower(options: TrainingOptions) -> str:
    """What saves memory, the cheapest first; only what is not done yet."""
    cures = []
    if options.batch_size > 1:
        cures.append(f"lower 'batch_size' (now {options.batch_size}; 'accumulate' makes up for it)")
    if not options.gradient_checkpointing:
        cures.append("turn on 'gradient_checkpointing'")
    if options.precision == "fp32" or options.frozen_precision == "fp32":
        cures.append("set 'precision' and 'frozen_precision' to auto")
    highest = max(options.dataset.resolutions)
    name = "buckets.resolution" if highest == options.dataset.buckets.resolution else "more_resolutions"
    cures.append(f"lower 'dataset.{name}' (now {highest})")
    cures.append("train a smaller rank")
    return f"The memory is full. In this order: {'; then '.join(cures)}. The last state is kept; resume is possible."
