"""Short training runs on a miniature, in this process, and what they left behind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from lib_trainer.core.configs import load, merge
from lib_trainer.core.events import Event, HeldOut, Loss, Notice, Progress, Saved
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.trainables.file_names import read_network
from lib_trainer.training.options import TrainingOptions
from lib_trainer.training.session import Session, open_session
from lib_trainer.training.train import train


@dataclass(frozen=True)
class Run:
    """A run directory, and the folder into which the run's networks go."""

    directory: RunDirectory
    out: Path
    result: dict[str, Any]

    def of(self, kind: type[Any]) -> list[Any]:
        """The run's events of one kind so far."""
        return [event for event in self.directory.events_after(0)[0] if isinstance(event, kind)]

    @property
    def losses(self) -> list[float]:
        return [event.value for event in self.of(Loss)]

    @property
    def held_out(self) -> list[float]:
        return [event.value for event in self.of(HeldOut)]

    @property
    def messages(self) -> str:
        return "\n".join(event.message for event in self.of(Notice))

    def saved(self, kind: str) -> list[tuple[int, str]]:
        """(step, file name) of each saved file of a kind, in the order of saving."""
        return [(event.step, Path(event.path).name) for event in self.of(Saved) if event.kind == kind]

    @property
    def networks(self) -> list[Path]:
        return sorted(path for path in self.out.glob("*") if path.suffix in (".safetensors", ".pt"))

    def tensors(self, which: int = -1) -> dict[str, torch.Tensor]:
        """The tensors of one of the networks, by the order of their names."""
        return dict(sorted(read_network(self.networks[which]).items()))

    @property
    def state(self) -> dict[str, Any]:
        """The one state that is kept."""
        (path,) = self.directory.states.glob("state-*.pt")
        return dict(torch.load(path, weights_only=True))


@dataclass(frozen=True)
class _StoppedRun(RunDirectory):
    """A run that is asked to stop when it tells that a step is done."""

    stop_at: int | None = None

    def append(self, event: Event) -> None:
        super().append(event)
        if isinstance(event, Progress) and (event.stage, event.done) == ("Training", self.stop_at):
            self.request("stop")


class Runs:
    """Makes runs below a folder; all options but those named are the base's."""

    def __init__(self, folder: Path, base: dict[str, Any]) -> None:
        self.folder, self.base = folder, base

    def options(self, changes: dict[str, Any], name: str = "run") -> TrainingOptions:
        """The options of a run; its networks go into a folder of their own."""
        saving = {"saving": {"folder": str(self.folder / name / "out")}}
        return load(TrainingOptions, merge(merge(self.base, saving), changes))

    def run(self, name: str = "run", result: dict[str, Any] | None = None) -> Run:
        """A run by its name, there or to be made."""
        path = self.folder / name
        path.mkdir(parents=True, exist_ok=True)
        return Run(RunDirectory(path), path / "out", result or {})

    def train(self, changes: dict[str, Any] | None = None, name: str = "run", stop_at: int | None = None) -> Run:
        """Train, or go on with the run of that name; a stop is asked for when `stop_at` steps are done."""
        path = self.run(name).directory.path
        result = train(self.options(changes or {}, name), _StoppedRun(path, stop_at))
        self.run(name).directory.take_request("stop")  # as the worker does
        return self.run(name, result)

    def open(self, changes: dict[str, Any] | None = None, name: str = "run") -> Session:
        """What a run works with, before its first step."""
        return open_session(self.options(changes or {}, name), self.run(name).directory)


def equal(one: Any, other: Any) -> bool:
    """Whether two nests of tables, lists, tensors and plain values are the same to the bit."""
    if isinstance(one, torch.Tensor):
        return isinstance(other, torch.Tensor) and one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(equal, one, other))
    return bool(one == other)
