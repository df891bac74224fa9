"""What the runs of all projects have made, as far as it is still there: the choices of the X/Y/Z plot."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from lib_trainer.ui.projects import all_projects
from lib_trainer.ui.server import Server


@dataclass(frozen=True)
class TrainedFile:
    """A network, and the epoch after which it was saved."""

    path: Path
    epoch: int


@dataclass(frozen=True)
class TrainedRun:
    """A run and its files in the order in which they were saved; `chosen` is the user's choice among them."""

    label: str
    files: tuple[TrainedFile, ...]
    chosen: Path | None

    @property
    def best(self) -> TrainedFile:
        """The one that the user chose, or the last."""
        return next((file for file in self.files if file.path == self.chosen), self.files[-1])


@dataclass(frozen=True)
class Trained:
    """All runs that have files, newest first."""

    runs: tuple[TrainedRun, ...]

    def epochs(self) -> list[str]:
        """The names of all files, the newest run's first; of files that share a name only one can be meant."""
        return list(self._by_name)

    def run_labels(self) -> list[str]:
        """How the runs are called in the plot."""
        return [run.label for run in self.runs]

    def file_named(self, name: str) -> TrainedFile | None:
        """The file of that name."""
        return self._by_name.get(name)

    def run_named(self, label: str) -> TrainedRun | None:
        """The run of that label."""
        return next((run for run in self.runs if run.label == label), None)

    def run_of(self, file: TrainedFile) -> TrainedRun | None:
        """The run that made this file."""
        return next((run for run in self.runs if file in run.files), None)

    def run_in(self, prompt: str) -> TrainedRun | None:
        """The run whose file the prompt names; the newest where it names none."""
        named = [run for run in self.runs if any(f"<lora:{file.path.stem}:" in prompt for file in run.files)]
        return next(iter([*named, *self.runs]), None)

    @cached_property
    def _by_name(self) -> dict[str, TrainedFile]:
        found: dict[str, TrainedFile] = {}
        for run in self.runs:
            for file in run.files:
                found.setdefault(file.path.stem, file)
        return found


def trained_in(server: Server) -> Trained:
    """What the runs of a data folder have made."""
    listed = [run for project in all_projects(server.home) for run in server.listed(project)]
    runs = [run for run in listed if run["output"] == "lora"]  # the axes name LoRAs in prompts
    runs.sort(key=lambda run: run["created"] or 0, reverse=True)
    return Trained(tuple(made for run in runs if (made := _made_by(run)) is not None))


def _made_by(run: dict[str, Any]) -> TrainedRun | None:
    """`run` is a RUN of the page."""
    files = [TrainedFile(Path(one["path"]), int(one["epoch"] or 0)) for one in run["networks"] if one["exists"]]
    chosen = Path(run["chosen"]) if run["chosen"] else None
    label = f"{run['project']}/{run['name']} ({run['id']})"
    return TrainedRun(label, tuple(files), chosen) if files else None
