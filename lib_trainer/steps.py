"""The steps a user can run, in order. The engine resolves `run`; the tab and the command line only read `options`."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lib_trainer.comparison.options import CompareOptions
from lib_trainer.core.errors import ConfigError
from lib_trainer.core.options import first_line
from lib_trainer.core.outputs import Output
from lib_trainer.core.registry import did_you_mean
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.images.captioners.fetching_options import FetchOptions
from lib_trainer.images.captioners.options import CaptioningOptions
from lib_trainer.images.doctor.options import CheckOptions
from lib_trainer.images.duplicates.options import DuplicateOptions
from lib_trainer.images.importing.options import ExportOptions, ImportOptions
from lib_trainer.images.options import InspectOptions, PrepareOptions
from lib_trainer.images.promptlog.options import PromptLogOptions
from lib_trainer.images.wording.options import RewordOptions
from lib_trainer.trainables import TRAINABLES
from lib_trainer.training.options import TrainingOptions


@dataclass(frozen=True)
class Step:
    """One step: its options, and the engine's function `(options, run) -> result`.

    `said` is what it does, where the options' own sentence says something else; `recipes` the step whose recipes and
    presets it takes as well.
    """

    options: type
    run: str  # "module:function", resolved in the engine process only
    said: str = ""
    recipes: str = ""

    @property
    def help(self) -> str:
        """What the step does, in a sentence for users."""
        return self.said or first_line(self.options)

    def resolve(self) -> Callable[[Any, RunDirectory], dict[str, Any]]:
        module, _, function = self.run.partition(":")
        return getattr(importlib.import_module(module), function)  # type: ignore[no-any-return]


STEPS = {
    "promptlog": Step(PromptLogOptions, run="lib_trainer.images.promptlog.promptlog:promptlog"),
    "import": Step(ImportOptions, run="lib_trainer.images.importing.bring_in:bring_in"),
    "inspect": Step(InspectOptions, run="lib_trainer.images.inspect:inspect"),
    "check": Step(CheckOptions, run="lib_trainer.images.doctor.check:check"),
    "duplicates": Step(DuplicateOptions, run="lib_trainer.images.duplicates.duplicates:find_duplicates"),
    "prepare": Step(PrepareOptions, run="lib_trainer.images.prepare:prepare"),
    "caption": Step(CaptioningOptions, run="lib_trainer.images.captioners.caption:caption"),
    "reword": Step(RewordOptions, run="lib_trainer.images.reword:reword"),
    "fetch": Step(FetchOptions, run="lib_trainer.images.captioners.fetch:fetch"),
    "export": Step(ExportOptions, run="lib_trainer.images.importing.export:export"),
    "plan": Step(
        TrainingOptions,
        run="lib_trainer.training.plan:plan",
        said="Say what a training would do: its steps, its files, its memory and its time.",
        recipes="train",
    ),
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


def output_of(told: Any) -> Output:
    """What a configuration's `trainable` is saved as, told by its name or with its options; LoRAs if it is none."""
    name = told.get("type") if isinstance(told, dict) else told
    return next((entry.output for known, entry in TRAINABLES if known == name), "lora")
