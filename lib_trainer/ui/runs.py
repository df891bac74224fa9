"""What the page shows of a run, folded from its files: each event is read once, however often somebody asks."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lib_trainer.core.errors import EngineError
from lib_trainer.core.file_lock import is_locked
from lib_trainer.core.outputs import Output
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.steps import output_of
from lib_trainer.ui.projects import Project, read_json

State = Literal[
    "queued", "starting", "running", "stopping", "finished", "stopped", "failed", "interrupted", "vanished"
]
WORKING = ("starting", "running", "stopping")
MOST_NAMES = 3
RESUMABLE = ("stopped", "failed", "interrupted")
HEAVY_STEPS = ("train", "compare")  # they need the card for themselves, so they wait for each other
UNLISTED_STEPS = ("inspect", "duplicates", "plan")  # they only answer a question of the page

OFTEN = (b'{"event": "loss"', b'{"event": "progress"')
NEVER_BEGAN = "It has not been started."
KILLED = "The engine ended without a word; it was killed, or ran out of memory."
GONE = "Its folder has vanished: {}. Somebody deleted or moved it."


@dataclass
class Told:
    """What a run's events have said up to `offset`, in bytes; times are seconds since 1970."""

    step: str = ""
    name: str = ""
    output: Output = "lora"  # what its files are
    offset: int = 0
    starts: int = 0
    started: float | None = None
    ended: float | None = None
    ending: Literal["finished", "stopped", "failed"] | None = None
    message: str = ""
    progress: dict[str, Any] | None = None
    last_loss: float | None = None
    best_held_out: dict[str, Any] | None = None
    networks: dict[str, dict[str, Any]] = field(default_factory=dict)
    result: dict[str, Any] = field(default_factory=dict)

    def hear(self, event: dict[str, Any]) -> None:
        """Take in one event."""
        name = event.get("event")
        if name == "started":
            self.starts += 1
            self.started, self.ended, self.ending = self.started or event.get("time"), None, None
            self.message, self.progress = "", None
        elif name in ("finished", "stopped", "failed"):
            self.ending, self.ended = name, event.get("time")
            self.message = str(event.get("message", ""))
            self.result = event.get("result") or {}
        elif name == "progress":
            self.progress = {key: event.get(key) for key in ("stage", "done", "total", "unit")}
            self.message = ""  # it goes on, whatever it warned of
        elif name == "notice" and event.get("level") == "warning":
            self.message = str(event.get("message", ""))
        elif name == "loss":
            self.last_loss = event.get("value")
        else:
            self._hear_result(name, event)

    def _hear_result(self, name: Any, event: dict[str, Any]) -> None:
        if name == "held_out" and event.get("epoch"):  # epoch 0 is the model as it was
            value, best = event.get("value"), self.best_held_out
            if isinstance(value, float) and (best is None or value < best["value"]):
                self.best_held_out = {"epoch": event["epoch"], "value": value}
        elif name == "saved" and event.get("kind") == "network":
            path = str(event.get("path"))
            self.networks[path] = {"path": path, "epoch": event.get("epoch"), "step": event.get("step")}


class Summaries:
    """What all runs have told so far; asking again reads only what is new in their files."""

    def __init__(self) -> None:
        self._told: dict[Path, Told] = {}
        self._reading = threading.Lock()
        # Two of our threads that ask for one run's lock at once would each take the other for its engine.
        self._asking = threading.Lock()

    def told(self, run: RunDirectory) -> Told:
        """What a run has told up to now."""
        with self._reading:
            told, end = self._told.get(run.path), _size(run.events_file)
            if told is not None and end < told.offset and not run.path.is_dir():
                return told  # what it was is all that is left of it
            if told is None or end < told.offset:
                told = self._told[run.path] = _begun(run)
            if end > told.offset:
                _read_on(told, run.events_file)
            return told

    def gone(self, project: Project) -> list[RunDirectory]:
        """Runs of a project that were there, and whose folder is not there any more."""
        known = [path for path in list(self._told) if path.parent == project.runs_folder]
        return [RunDirectory(path) for path in known if not (path / "job.json").is_file()]

    def forget(self, run: RunDirectory) -> None:
        """Forget a run that was deleted, or whose events begin anew."""
        with self._reading:
            self._told.pop(run.path, None)

    def is_worked_on(self, run: RunDirectory) -> bool:
        """Whether an engine, or a thread in its stead, holds the run."""
        with self._asking:
            return is_locked(run.lock_file)

    def heavy_work(self, run: RunDirectory) -> bool:
        """Whether an engine is at work on this run that needs the card for itself."""
        told = self.told(run)
        return told.step in HEAVY_STEPS and told.ending is None and self.is_worked_on(run)


def _begun(run: RunDirectory) -> Told:
    """What is known of a run from its job alone."""
    try:
        step, config = run.job()
    except EngineError as error:
        return Told(message=str(error))
    return Told(step=step, name=_name(step, config) or run.path.name, output=output_of(config.get("trainable")))


def _name(step: str, config: Any) -> str:
    """What the user would call this run: after its files, or the folder that it works on."""
    try:
        if step == "compare":
            names = [Path(network).stem for network in config["networks"]]
            return ", ".join(names[:MOST_NAMES]) + (", …" if len(names) > MOST_NAMES else "")
        dataset = config.get("dataset", config)
        return str(config.get("saving", {}).get("name") or Path(dataset["folder"]).name)
    except (KeyError, TypeError, AttributeError):
        return ""  # a job written by hand


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _read_on(told: Told, file: Path) -> None:
    """Take in what a file says since `told.offset`.

    Of losses and progress in a row only the last is read, which makes a long run's thousands of them quick.
    """
    held: dict[bytes, bytes] = {}
    for line, behind in lines_after(file, told.offset):
        told.offset = behind
        often = next((start for start in OFTEN if line.startswith(start)), None)
        if often is not None:
            held[often] = line
            continue
        _hear_lines(told, [*held.values(), line])
        held.clear()
    _hear_lines(told, list(held.values()))


def _hear_lines(told: Told, lines: list[bytes]) -> None:
    for line in lines:
        event = as_event(line)
        if event is not None:
            told.hear(event)


def as_event(line: bytes) -> dict[str, Any] | None:
    """The event of a line; None for one that was cut off. Browsers can't read NaN, so that becomes null."""
    try:
        event = json.loads(line.decode("utf-8", errors="replace"), parse_constant=lambda _: None)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "event" in event else None


def lines_after(file: Path, offset: int) -> Iterator[tuple[bytes, int]]:
    """The whole lines of a file since an offset in bytes, each with the offset behind it."""
    try:
        with file.open("rb") as opened:
            opened.seek(offset)
            for line in opened:
                if not line.endswith(b"\n"):
                    return  # it is still being written
                offset += len(line)
                yield line, offset
    except FileNotFoundError:
        return


def raw_events(run: RunDirectory, offset: int, most: int) -> tuple[list[dict[str, Any]], int]:
    """So many events at most since an offset, as plain data, and the offset to continue from.

    An offset behind the end belongs to a file that was replaced since: reading then begins anew.
    """
    events: list[dict[str, Any]] = []
    reached = offset if offset <= run.end() else 0
    for line, behind in lines_after(run.events_file, reached):
        reached = behind
        event = as_event(line)
        if event is not None:
            events.append(event)
        if len(events) >= most:
            break
    return events, reached


def summary(project: Project, run: RunDirectory, told: Told, state: State, place: int | None) -> dict[str, Any]:
    """A run as the page gets it; `place` is its place in the queue, from 1 on."""
    chosen = project.chosen().get(run.path.name)
    networks = [{**network, "exists": Path(network["path"]).exists()} for network in list(told.networks.values())]
    return {
        "project": project.name,
        "id": run.path.name,
        "step": told.step,
        "name": _own_name(run) or told.name,
        "output": told.output,
        "state": state,
        "created": _created(run),
        "started": told.started,
        "ended": None if state in WORKING else told.ended,
        "progress": told.progress,
        "best_held_out": told.best_held_out,
        "last_loss": told.last_loss,
        "message": _message(run, told, state),
        "place_in_queue": place if state == "queued" else None,
        "resumable": state in RESUMABLE and told.step in HEAVY_STEPS,
        "size": told.offset,
        "chosen": chosen.get("network") if isinstance(chosen, dict) else None,
        "networks": networks,
    }


def _own_name(run: RunDirectory) -> str:
    """The name that a training chose for its files when it began."""
    identity = read_json(run.path / "identity.json")
    return str(identity.get("name", "")) if isinstance(identity, dict) else ""


def _created(run: RunDirectory) -> float | None:
    try:
        return run.job_file.stat().st_mtime
    except OSError:
        return None


def _message(run: RunDirectory, told: Told, state: State) -> str:
    if state == "vanished":
        return GONE.format(run.path)
    if state == "interrupted":
        return told.message or (KILLED if told.starts else NEVER_BEGAN)
    return told.message


def log_tail(run: RunDirectory, most: int = 8000) -> str:
    """The last lines that the engine printed, so many bytes of them at most."""
    try:
        with run.log_file.open("rb") as file:
            file.seek(max(0, run.log_file.stat().st_size - most))
            return file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
