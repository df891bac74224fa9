"""What a running step tells the outside, one JSON line each; the only thing that crosses from engine to host."""

from __future__ import annotations

import dataclasses
import json
import time
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal


@dataclass(frozen=True)
class Event:
    """One line of `events.jsonl`; `time` is in seconds since 1970."""

    name: ClassVar[str]
    time: float = field(default_factory=time.time, kw_only=True)

    def to_line(self) -> str:
        return json.dumps({"event": self.name, **dataclasses.asdict(self)})


@dataclass(frozen=True)
class Started(Event):
    """The engine's process has begun, or begun again, to work on this run."""

    name = "started"
    step: str
    process: int


@dataclass(frozen=True)
class Progress(Event):
    """How far one stage of the work is; `stage` is a few words, `done` and `total` count `unit`."""

    name = "progress"
    stage: str
    done: int
    total: int
    unit: str = ""


@dataclass(frozen=True)
class Notice(Event):
    """Something the user should know; nothing was changed silently."""

    name = "notice"
    message: str
    level: Literal["info", "warning"] = "info"


@dataclass(frozen=True)
class Table(Event):
    """A small report: a title, column headings and rows of text."""

    name = "table"
    title: str
    columns: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class Loss(Event):
    """The training loss of one completed step, and the learning rate of each part that is trained.

    Where classes are kept, `value` is the loss of what is learned alone, `prior` that of the classes, of which
    `prior_weight` times is added.
    """

    name = "loss"
    step: int
    epoch: int
    value: float
    learning_rates: dict[str, float]
    prior: float | None = None
    prior_weight: float | None = None


@dataclass(frozen=True)
class HeldOut(Event):
    """The mean loss on the held-out pictures after `epoch` completed epochs; epoch 0 is the base model."""

    name = "held_out"
    step: int
    epoch: int
    value: float


@dataclass(frozen=True)
class Saved(Event):
    """A file that the user can use, or a state to resume from, lies whole on the disk."""

    name = "saved"
    kind: Literal["network", "state", "picture", "grid", "pictures"]
    path: str
    step: int = 0
    epoch: int = 0


@dataclass(frozen=True)
class GridPlan(Event):
    """What a comparison is going to draw: the labels of its rows and columns, and how many pictures that makes."""

    name = "grid_plan"
    rows: list[str]
    columns: list[str]
    total: int


@dataclass(frozen=True)
class Cell(Event):
    """One picture of a grid lies whole on the disk; row and column count from 0, `parameters` is the WebUI's text."""

    name = "cell"
    row: int
    column: int
    path: str
    parameters: str


@dataclass(frozen=True)
class Failed(Event):
    """The step ended on an error; `message` is for the user, `details` for a bug report."""

    name = "failed"
    message: str
    details: str = ""


@dataclass(frozen=True)
class Stopped(Event):
    """The step ended because it was asked to; it can be resumed."""

    name = "stopped"


@dataclass(frozen=True)
class Finished(Event):
    """The step ended well; `result` is what it made."""

    name = "finished"
    result: dict[str, Any] = field(default_factory=dict)


EVENTS: dict[str, type[Event]] = {
    kind.name: kind
    for kind in (Started, Progress, Notice, Table, Loss, HeldOut, Saved, GridPlan, Cell, Failed, Stopped, Finished)
}
ENDINGS = (Failed, Stopped, Finished)


def from_line(line: str) -> Event:
    """The event that `to_line` wrote.

    Raises:
        ValueError, KeyError, TypeError: it wrote no such line.
    """
    data = dict(json.loads(line))
    return EVENTS[data.pop("event")](**data)
