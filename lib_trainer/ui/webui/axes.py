"""Axes of the WebUI's X/Y/Z plot: the epochs of a run, the runs, and the weight of the LoRA."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lib_trainer.core.errors import ConfigError
from lib_trainer.core.registry import did_you_mean
from lib_trainer.ui.webui.lists import prompt_name
from lib_trainer.ui.webui.phrases import with_network, with_weight
from lib_trainer.ui.webui.trained import Trained, TrainedFile

EPOCH, RUN, WEIGHT = "[Trainer] Epoch", "[Trainer] Run", "[Trainer] LoRA weight"
NO_LORA = "none"
LEAST_WEIGHT, MOST_WEIGHT = -10.0, 10.0
ASKED = "trainer_asked"  # on the copy of the settings that is made for each cell


def add_axes(trained: Callable[[], Trained]) -> None:
    """Give the plot our axes, once; its script is there anew after each `Reload UI`."""
    from modules import scripts

    for data in scripts.scripts_data:
        if data.script_class.__module__ == "xyz_grid.py":
            known = {option.label for option in data.module.axis_options}
            data.module.axis_options += [axis for axis in _axes(data.module, Axes(trained)) if axis.label not in known]


def _axes(plot: Any, axes: Axes) -> list[Any]:
    # cost: what takes longer to change is changed less often. The plot lists only axes of exactly this class.
    return [
        plot.AxisOption(
            EPOCH, str, axes.apply_epoch, axes.label_of_epoch, axes.check_epochs, 0.5, lambda: axes.trained().epochs()
        ),
        plot.AxisOption(
            RUN, str, axes.apply_run, plot.format_value, axes.check_runs, 0.5, lambda: axes.trained().run_labels()
        ),
        plot.AxisOption(WEIGHT, float, axes.apply_weight, label_of_weight, check_weights),
    ]


def label_of_weight(p: Any, option: Any, value: float) -> str:
    """How a weight reads beside its pictures."""
    del p, option
    return f"weight {value:g}"


def check_weights(p: Any, values: list[float]) -> None:
    """See that all weights make sense.

    Raises:
        ConfigError: one does not.
    """
    del p
    for value in values:
        if not LEAST_WEIGHT <= value <= MOST_WEIGHT:
            raise ConfigError(f"{WEIGHT}: {value:g} must be {LEAST_WEIGHT:g} to {MOST_WEIGHT:g}.")


@dataclass(frozen=True)
class Axes:
    """What the plot calls; whatever axes take part, and in whichever order, the last call makes the prompt whole."""

    trained: Callable[[], Trained]

    def check_epochs(self, p: Any, values: list[str]) -> None:
        """See that each value is `none`, the name of a file, or the number of an epoch.

        Raises:
            ConfigError: one is nothing of this, and known values are named.
            ModelError: the WebUI can't find the file.
        """
        del p
        trained = self.trained()
        for value in values:
            file = trained.file_named(value)
            if file is not None:
                prompt_name(file.path)
            elif value != NO_LORA and not value.isdecimal():
                raise ConfigError(_unknown(EPOCH, value, trained.epochs()))

    def check_runs(self, p: Any, values: list[str]) -> None:
        """See that each run is there, and its file found by the WebUI.

        Raises:
            ConfigError, ModelError: it is not.
        """
        del p
        trained = self.trained()
        for value in values:
            run = trained.run_named(value)
            if run is None:
                raise ConfigError(_unknown(RUN, value, trained.run_labels()))
            prompt_name(run.best.path)

    def label_of_epoch(self, p: Any, option: Any, value: str) -> str:
        """How an epoch reads beside its pictures."""
        del p, option
        return "no LoRA" if value == NO_LORA else f"epoch {value}" if value.isdecimal() else value

    def apply_epoch(self, p: Any, value: str, values: list[str]) -> None:
        """Draw with this epoch."""
        del values
        self._ask(p, epoch=value)

    def apply_run(self, p: Any, value: str, values: list[str]) -> None:
        """Draw with this run's file."""
        del values
        self._ask(p, run=value)

    def apply_weight(self, p: Any, value: float, values: list[float]) -> None:
        """Draw with this weight."""
        del values
        self._ask(p, weight=value)

    def _ask(self, p: Any, **asked: Any) -> None:
        """Change the prompt to what was asked of this cell so far.

        Raises:
            ConfigError: what is asked does not fit together, or there is nothing to weigh.
        """
        everything = {**getattr(p, ASKED, {}), **asked}
        setattr(p, ASKED, everything)
        if any(axis in _taking_part() for axis in _awaited(everything)):
            return
        trained = self.trained()
        if "epoch" in everything or "run" in everything:
            file = _file_asked(trained, p.prompt, everything)
            p.prompt = with_network(p.prompt, trained, file, everything.get("weight"))
        else:
            p.prompt = with_weight(p.prompt, trained, everything["weight"])


def _unknown(axis: str, value: str, known: list[str]) -> str:
    there = f"{did_you_mean(value, known)} There are {', '.join(known[:20])}." if known else " No run has any yet."
    return f"{axis}: there is no {value!r}.{there}"


def _taking_part() -> set[str]:
    """The labels of the axes that the plot which is being drawn has."""
    from modules import shared

    axes = [getattr(shared.state, f"xyz_plot_{letter}", None) for letter in "xyz"]
    return {info.axis.label for info in axes if info is not None}


def _awaited(asked: dict[str, Any]) -> list[str]:
    """The axes whose turn is still to come for this cell, if they take part at all."""
    keys = {"epoch": EPOCH, "run": RUN, "weight": WEIGHT}
    return [label for key, label in keys.items() if key not in asked]


def _file_asked(trained: Trained, prompt: str, asked: dict[str, Any]) -> TrainedFile | None:
    epoch, run = asked.get("epoch"), trained.run_named(asked["run"]) if "run" in asked else None
    if epoch is None:
        return run.best if run is not None else None
    if epoch == NO_LORA:
        return None
    named = trained.file_named(epoch)
    if named is not None and run is not None and named not in run.files:
        raise ConfigError(f"{EPOCH}: {epoch} is not of the run {run.label}; with {RUN}, give epochs as numbers.")
    if named is not None:
        return named
    of = run or trained.run_in(prompt)
    if of is None:
        raise ConfigError(f"{EPOCH}: there is no run yet that could have an epoch {epoch}.")
    for file in of.files:
        if file.epoch == int(epoch):
            return file
    raise ConfigError(_unknown(f"{EPOCH} of {of.label}", epoch, [str(file.epoch) for file in of.files]))
