"""What earlier runs have shown of this machine: which device it trains on, and how long a step takes there."""

from __future__ import annotations

import importlib.metadata
import json
import os
import statistics
import sys
import time
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from lib_trainer.core.configs import dump
from lib_trainer.core.places import data_folder
from lib_trainer.core.whole_files import write_text
from lib_trainer.models.checkpoints import count_weights
from lib_trainer.models.machine import Machine, formats
from lib_trainer.training.options import TrainingOptions

WARMING_UP = 2  # steps at a run's start that take longer than the others
WRITE_EVERY = 50  # steps


def timings_file() -> Path:
    return data_folder() / "timings.json"


def known_machine() -> Machine:
    """The machine as it was last seen with the engine as it is now; else torch is asked, which takes seconds."""
    told = _read()
    if told.get("engine") == _engine():
        try:
            return Machine(**told["machine"])
        except (KeyError, TypeError):
            pass  # written by another version
    from lib_trainer.models.precision import best_device, machine_with

    machine = machine_with(best_device())
    _write({**told, "engine": _engine(), "machine": asdict(machine)})
    return machine


def known_seconds(options: TrainingOptions, machine: Machine) -> float | None:
    """Seconds for one step of such a training, if one was done here."""
    seconds = _read().get("seconds", {}).get(timing_key(options, machine))
    return float(seconds) if isinstance(seconds, (int, float)) else None


def timing_key(options: TrainingOptions, machine: Machine) -> str:
    """A digest of what the time of a step depends on."""
    told = dump(options)
    model = options.model
    size = model.stat().st_size if model.is_file() else 0
    facts = [
        *(model.name, size, machine.name, told["trainable"]["type"], list(options.learning_rates)),
        formats(options.precision, options.kept_precision, machine, lambda: count_weights(model)),
        *(*options.dataset.resolutions, options.batch_size, options.accumulate, options.gradient_checkpointing),
        *([options.prior.kind] if options.keeps_classes else []),
    ]
    return sha256(json.dumps(facts).encode("utf-8")).hexdigest()[:32]


@dataclass
class StepTimes:
    """The seconds of a run's steps; they are remembered every 50 steps and at the end."""

    options: TrainingOptions
    machine: Machine
    _seconds: list[float] = field(default_factory=list)
    _begun: float = 0.0

    def begin(self) -> None:
        """A step begins."""
        self._begun = time.monotonic()

    def end(self) -> None:
        """The step has ended."""
        self._seconds.append(time.monotonic() - self._begun)
        if len(self._seconds) % WRITE_EVERY == 0:
            self.remember()

    def remember(self) -> None:
        """Write the median of the steps since the last fifty, if there are enough to tell."""
        settled = self._seconds[WARMING_UP:][-WRITE_EVERY:]
        if settled:
            told = _read()
            seconds = {**told.get("seconds", {}), timing_key(self.options, self.machine): statistics.median(settled)}
            _write({"engine": _engine(), "machine": asdict(self.machine), "seconds": seconds})


def _engine() -> str:
    """What the machine's abilities depend on besides itself: torch, and which cards it may see."""
    cards = os.environ.get("CUDA_VISIBLE_DEVICES", "all")
    return f"{sys.prefix} torch {importlib.metadata.version('torch')} cards {cards}"


def _read() -> dict[str, Any]:
    try:
        told = json.loads(timings_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _write(told: dict[str, Any]) -> None:
    try:
        write_text(timings_file(), json.dumps(told, indent=1))
    except OSError:
        return  # an estimate for a later run is worth no warning in this one
