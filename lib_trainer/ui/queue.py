"""The queue: a file that names the runs which wait for the card, in order, and survives every restart."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from lib_trainer.core.errors import OutputError
from lib_trainer.core.file_lock import file_lock
from lib_trainer.ui.projects import write_json

LOCK_SECONDS = 5.0
Move = Literal["first", "last", "up", "down"]


@dataclass(frozen=True)
class Entry:
    """A run by its project's name and its id."""

    project: str
    run: str


class Queue:
    """The waiting runs; the file is the truth, since several hosts may share it."""

    def __init__(self, home: Path) -> None:
        self._file = home / "queue.json"
        self._lock = home / "queue.lock"

    def entries(self) -> list[Entry]:
        """The waiting runs in their order; a file that can't be read is set aside, and the queue is empty then.

        Raises:
            OutputError: the file can't be read because of the disk.
        """
        try:
            told = json.loads(self._file.read_text(encoding="utf-8"))
            return [Entry(str(entry["project"]), str(entry["run"])) for entry in told["queue"]]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise OutputError(f"The queue {self._file} can't be read ({error}); check the disk.") from error
        except (ValueError, KeyError, TypeError):
            self._file.replace(self._file.with_name(f"queue-unreadable-{time.strftime('%Y%m%d-%H%M%S')}.json"))
            return []

    def place(self, entry: Entry) -> int | None:
        """Where a run stands in the queue, from 1 on; None where it does not wait."""
        entries = self.entries()
        return entries.index(entry) + 1 if entry in entries else None

    def add(self, entry: Entry, first: bool = False) -> None:
        """Put a run at the end of the queue, or at its beginning; one that waits already keeps its place."""

        def changed(entries: list[Entry]) -> list[Entry]:
            if entry in entries:
                return entries
            return [entry, *entries] if first else [*entries, entry]

        self._change(changed)

    def remove(self, entry: Entry) -> bool:
        """Take a run out; whether it was in."""
        was_in = False

        def changed(entries: list[Entry]) -> list[Entry]:
            nonlocal was_in
            was_in = entry in entries
            return [other for other in entries if other != entry]

        self._change(changed)
        return was_in

    def move(self, entry: Entry, where: Move) -> bool:
        """Put a waiting run elsewhere in the queue; whether it was in."""
        was_in = False

        def changed(entries: list[Entry]) -> list[Entry]:
            nonlocal was_in
            was_in = entry in entries
            return _moved(entries, entry, where) if was_in else entries

        self._change(changed)
        return was_in

    def _change(self, changed: Callable[[list[Entry]], list[Entry]]) -> None:
        """Read, change and write while nobody else does.

        Raises:
            OutputError: the disk refuses, or somebody holds the queue for long.
        """
        with file_lock(self._lock, LOCK_SECONDS) as ours:
            if not ours:
                raise OutputError(f"The queue {self._file} is being changed by another program; try again.")
            before = self.entries()
            after = changed(list(before))
            if after != before:
                write_json(self._file, {"queue": [asdict(entry) for entry in after]})


def _moved(entries: list[Entry], entry: Entry, where: Move) -> list[Entry]:
    place = entries.index(entry)
    others = [other for other in entries if other != entry]
    targets = {"first": 0, "last": len(others), "up": max(0, place - 1), "down": place + 1}
    others.insert(targets[where], entry)
    return others
