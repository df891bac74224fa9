"""What happens between steps: previews, the held-out loss, saving, and the user's requests."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

import torch

from lib_trainer.core.errors import TrainingError
from lib_trainer.core.events import HeldOut, Progress, Saved
from lib_trainer.core.units import Every
from lib_trainer.training.outputs import Identity, save_network
from lib_trainer.training.patience import patiently
from lib_trainer.training.previews import draw_previews
from lib_trainer.training.randomness import global_states
from lib_trainer.training.session import Session
from lib_trainer.training.states import Place, save_state
from lib_trainer.training.validation import table_loss

HELD_OUT_BATCH = 8


@dataclass
class Chores:
    """Does what is due after a step; wall time for '15 minutes' runs from when it was made."""

    session: Session
    identity: Identity
    belongs_to: str
    saved_step: int = -1
    state_step: int = -1
    picture: Path | None = None
    _begun: float = field(init=False)
    _minutes: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._begun = time.monotonic()

    def before_training(self, place: Place) -> None:
        """Measure the model as it is; a resumed run knows that already."""
        if self.session.held_out and "base" not in place.held_out:
            self._measure(place)

    def after_step(self, place: Place) -> None:
        """Do what is due now that `place` is reached: pictures first, since a network takes its preview along."""
        options, run = self.session.options, self.session.run
        asked_for = run.take_request("sample"), run.take_request("save")
        if self._due(options.previews.every, place, "previews") or asked_for[0]:
            self._draw(place)
        if self.session.held_out and self._due(options.validation.every, place, "validation"):
            self._measure(place)
        if self._due(options.saving.every, place, "network") or asked_for[1]:
            self.save(place)
        if self._due(options.saving.state_every, place, "state") or run.stop_requested():
            self.save_state(place)

    def save(self, place: Place) -> None:
        """Save the network unless it is saved as it is now."""
        if self.saved_step != place.step:
            save_network(self.session, self.identity, place, self.picture)
            self.saved_step = place.step

    def save_state(self, place: Place) -> None:
        """Save a state unless it is saved as it is now.

        Raises:
            TrainingError: a weight is not finite; the older state is kept.
        """
        if self.state_step == place.step:
            return
        session = self.session
        if not all(bool(torch.isfinite(tensor).all()) for tensor in session.parameters):
            raise TrainingError(f"After step {place.step} a weight is not finite; the state before it is kept. "
                                "Lower 'learning_rate' and resume, or start anew.")
        contents = {
            "network": session.network.tensors(),
            "optimizer": session.optimizer.state_dict(),
            "scaler": session.accelerator.scaler.state_dict() if session.accelerator.scaler else None,
            "random": global_states(),
        }
        path = patiently(session.run, "the state", lambda: save_state(session.run, place, self.belongs_to, contents))
        self.state_step = place.step
        session.run.append(Saved("state", str(path), place.step, place.epoch))

    def _due(self, every: Every, place: Place, what: str) -> bool:
        if every.unit == "minute":
            since = self._minutes.get(what, self._begun)
            if not every.amount or time.monotonic() - since < every.amount * 60:
                return False
            self._minutes[what] = time.monotonic()
            return True
        return every.due("step", place.step) or (place.batch == 0 and every.due("epoch", place.epoch))

    def _draw(self, place: Place) -> None:
        self.session.network.train(False)
        pictures = draw_previews(self.session, place)
        self.session.network.train(True)
        self.picture = pictures[0] if pictures else self.picture

    def _measure(self, place: Place) -> None:
        """The held-out loss under "base" before the first step, else under the epochs gone through, as "2" or "2.5"."""
        session = self.session

        def on_progress(done: int, total: int) -> None:
            session.run.append(Progress("Measuring the pictures kept aside", done, total))

        session.network.train(False)
        loss = table_loss(
            session.held_out,
            session.denoise,
            session.model.alphas_cumprod,
            session.prediction,
            max(HELD_OUT_BATCH, session.options.batch_size),
            on_progress,
        )
        session.network.train(True)
        epochs = place.epoch + place.batch / session.dataset.batches_in(place.epoch)
        place.held_out["base" if place.step == 0 else f"{epochs:.2f}".rstrip("0").rstrip(".")] = loss
        session.run.append(HeldOut(place.step, place.epoch, loss))


def training_progress(session: Session, place: Place) -> Progress:
    """How far the run is, in steps."""
    return Progress("Training", place.step, session.total_steps, "steps")
