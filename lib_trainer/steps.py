"""The steps a user can run, in order. The engine resolves `run`; the tab and the command line only read `options`."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lib_trainer.comparison.options import CompareOptions
from lib_trainer.core.errors import ConfigError
from lib_trainer.core.registry import did_you_mean
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.images.options import PrepareOptions
from lib_trainer.training.options import TrainingOptions


@dataclass(frozen=True)
class Step:
    """One step: its options, and the engine's function `(options, run) -> result`."""

    options: type
    run: str  # "module:function", resolved in the engine process only

    def resolve(self) -> Callable[[Any, RunDirectory], dict[str, Any]]:
        module, _, function = self.run.partition(":")
        return getattr(importlib.import_module(module), function)  # type: ignore[no-any-return]


STEPS = {
    "prepare": Step(PrepareOptions, run="lib_trainer.images.prepare:prepare"),
    "train": Step(TrainingOptions, run="lib_trainer.training.train:train"),
    "compare": Step(CompareOptions, run="lib_trainer.comparison.compare:compare"),
}


def step_named(name: str) -> Step:
    """The step of that name.

    Raises:
        ConfigError: there is none.
    """
    if name not in STEPS:
        raise ConfigError(f"Unknown step {name!r}.{did_you_mean(name, list(STEPS))} Available: {', '.join(STEPS)}.")
    return STEPS[name]
