"""States to resume from: one file holds weights, optimizer, scaler, random generators and the place in the run."""

from __future__ import annotations

import json
import pickle
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

import torch

from lib_trainer.core.errors import TrainingError
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.core.whole_files import whole_file
from lib_trainer.training.file_names import state_file

FORMAT = 1
DAMAGED = (OSError, RuntimeError, ValueError, LookupError, TypeError, EOFError, pickle.UnpicklingError)


@dataclass
class Place:
    """How far a run is; a step is one update of the weights.

    `batch` counts the batches of the epoch after `epoch` completed ones that are behind us.
    """

    step: int = 0
    epoch: int = 0
    batch: int = 0
    held_out: dict[str, float] = field(default_factory=dict)
    saved: list[str] = field(default_factory=list)


def digest(*facts: object) -> str:
    """A digest of plain facts (configuration, dataset): a state fits only a run with the same ones."""
    return sha256(json.dumps(facts, sort_keys=True, default=str).encode("utf-8")).hexdigest()


def save_state(run: RunDirectory, place: Place, belongs_to: str, contents: dict[str, Any]) -> Path:
    """Write a state as a whole file, then remove the older ones.

    Raises:
        OSError: what the disk said; the older state is still there then.
    """
    path = run.states / state_file(place.step)
    whole = {"format": FORMAT, "belongs_to": belongs_to, "place": asdict(place), **contents}
    with whole_file(path) as file:
        _write(whole, file)
    for older in run.states.glob("state-*.pt"):
        if older != path:
            older.unlink()
    return path


def _write(whole: dict[str, Any], file: IO[bytes]) -> None:
    try:
        torch.save(whole, file)
    except RuntimeError as error:
        if isinstance(error.__context__, OSError):  # torch's writer stumbles over what the disk said, and hides it
            raise error.__context__ from error
        raise


def newest_state(run: RunDirectory, belongs_to: str) -> tuple[Place, dict[str, Any]] | None:
    """The newest state of a run, or None if it has none.

    Raises:
        TrainingError: the state is of another configuration or other pictures, or can't be read.
    """
    paths = sorted(run.states.glob("state-*.pt"))
    if not paths:
        return None
    path = paths[-1]
    try:
        contents: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        if contents["format"] != FORMAT:
            raise TrainingError(f"{path} was written by another version of the trainer; start a new run.")
    except DAMAGED as error:
        reason = error if isinstance(error, OSError) else "it is damaged"  # what torch says is for programmers
        raise TrainingError(f"The state {path} can't be read ({reason}); start a new run.") from error
    if contents["belongs_to"] != belongs_to:
        raise TrainingError(
            f"The state {path} belongs to other options, pictures or captions than this run has now; "
            "put them back as they were, or start a new run."
        )
    return Place(**contents["place"]), contents
