"""Where one run keeps everything; host and engine agree on nothing but this folder."""

from __future__ import annotations

import errno
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from lib_trainer.core.errors import EngineError, OutputError
from lib_trainer.core.events import Event, Notice, from_line
from lib_trainer.core.whole_files import write_text

Request = Literal["stop", "save", "sample"]
REQUESTS: tuple[Request, ...] = get_args(Request)
FULL_DISK = (errno.ENOSPC, errno.EDQUOT)
RESERVE_BYTES = 65_536
WAIT_SECONDS = 1.0


@dataclass(frozen=True)
class RunDirectory:
    """A folder with `job.json` and requests going down to the engine, `events.jsonl` and `log.txt` coming up."""

    path: Path

    @property
    def job_file(self) -> Path:
        return self.path / "job.json"

    @property
    def events_file(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def log_file(self) -> Path:
        return self.path / "log.txt"

    @property
    def lock_file(self) -> Path:
        """Held by the engine as long as it works on this run."""
        return self.path / "engine.lock"

    @property
    def states(self) -> Path:
        """The folder of the states to resume from."""
        return self.path / "states"

    @property
    def samples(self) -> Path:
        """The folder of the previews."""
        return self.path / "samples"

    @property
    def reserve_file(self) -> Path:
        """Given up when the disk is full, so that there is room to say so."""
        return self.path / "reserve"

    def create(self, step: str, config: dict[str, Any]) -> None:
        """Make the folder and write the job.

        Raises:
            OutputError: the folder holds a job already, or can't be made.
        """
        if self.job_file.exists():
            raise OutputError(f"{self.path} already holds a run; give another folder, or resume that one.")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            write_text(self.job_file, json.dumps({"step": step, "config": config}, indent=2))
        except OSError as error:
            raise OutputError(f"The run folder {self.path} can't be made ({error}); choose another place.") from error

    def job(self) -> tuple[str, dict[str, Any]]:
        """The step's name and its configuration as plain data.

        Raises:
            EngineError: there is no readable job here.
        """
        try:
            job = json.loads(self.job_file.read_text(encoding="utf-8"))
            return job["step"], job["config"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EngineError(f"{self.path} is not a run: its job.json can't be read ({error}).") from error

    def reserve(self) -> None:
        """Keep a little room on the disk for events, if there is any."""
        try:
            self.reserve_file.write_bytes(bytes(RESERVE_BYTES))
        except OSError:
            self.release()

    def release(self) -> None:
        """Give the reserved room back."""
        self.reserve_file.unlink(missing_ok=True)

    def append(self, event: Event) -> None:
        """Add one event; on a full disk say so and wait for room, until the run is asked to stop."""
        if self._written(event):
            return
        self.release()
        said = f"The disk of {self.path} is full. Make room; the run waits where it must, and then goes on."
        self._written(Notice(said, level="warning"))
        while not self._written(event) and not self.stop_requested():
            time.sleep(WAIT_SECONDS)

    def _written(self, event: Event) -> bool:
        """Whether there was room for the event; a line that was left half-written is ended first."""
        try:
            with self.events_file.open("ab") as file:
                broken = file.tell() > 0 and not self._ends_whole()
                file.write((b"\n" if broken else b"") + event.to_line().encode("utf-8") + b"\n")
        except OSError as error:
            if error.errno not in FULL_DISK:
                raise
            return False
        return True

    def _ends_whole(self) -> bool:
        with self.events_file.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read() == b"\n"

    def events_after(self, offset: int) -> tuple[list[Event], int]:
        """The whole events written since `offset` (in bytes), and the offset to continue from."""
        if not self.events_file.exists():
            return [], offset
        with self.events_file.open("rb") as file:
            file.seek(offset)
            block = file.read()
        complete = block[: block.rfind(b"\n") + 1]
        lines = complete.decode("utf-8", errors="replace").splitlines()
        return [event for event in map(_event, lines) if event is not None], offset + len(complete)

    def end(self) -> int:
        """The offset in bytes behind the newest event."""
        return self.events_file.stat().st_size if self.events_file.exists() else 0

    def request(self, name: Request) -> None:
        """Ask the running engine for something.

        Raises:
            OutputError: the request can't be written.
        """
        try:
            write_text(self.path / f"request-{name}", "")
        except OSError as error:
            raise OutputError(f"The request '{name}' can't be left in {self.path} ({error}); mend it.") from error

    def take_request(self, name: Request) -> bool:
        """Whether this was asked for since the last look; looking answers it."""
        try:
            (self.path / f"request-{name}").unlink()
        except FileNotFoundError:
            return False
        return True

    def stop_requested(self) -> bool:
        """Whether the run was asked to stop; the request stays until `take_request` takes it."""
        return (self.path / "request-stop").exists()


def _event(line: str) -> Event | None:
    try:
        return from_line(line)
    except (ValueError, KeyError, TypeError):
        return None  # the half line of an engine that was killed while writing it, or no event at all
