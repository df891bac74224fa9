"""The journal of a bin: each move is written down before it is begun, so that a kill leaves nothing half done."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_trainer.core.errors import OutputError

JOURNAL = "bin.jsonl"
LOCK = "bin.lock"
MOVING, MOVED, RESTORING, RESTORED = "moving", "moved", "restoring", "restored"


@dataclass(frozen=True)
class Piece:
    """One file of an entry: where it was, and where it lies in the bin."""

    origin: Path
    place: Path


@dataclass(frozen=True)
class Entry:
    """A picture in the bin; `file` is its path in the folder, with /; `pieces` begin with the picture itself."""

    id: str
    file: str
    reason: str
    time: float
    pieces: tuple[Piece, ...]
    state: str = MOVING

    @property
    def picture(self) -> Path:
        """Where the picture lies in the bin."""
        return self.pieces[0].place


def bin_folder(folder: Path) -> Path:
    """The bin of a folder of pictures: beside it, so that nobody looks for pictures there."""
    return folder.parent / f"{folder.name}-bin"


class Journal:
    """What was written down of one folder's bin; nothing is kept in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.place = bin_folder(folder)
        self.file = self.place / JOURNAL

    def entries(self) -> list[Entry]:
        """Every entry that was ever begun, oldest first, in the state it is in now.

        Raises:
            OutputError: the journal can't be read.
        """
        try:
            lines = self.file.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise OutputError(f"{self.file} can't be read ({error}); check its rights.") from error
        found: dict[str, Entry] = {}
        for told in filter(None, map(_told, lines)):
            known = found.get(told["id"])
            entry = self._entry(told) if known is None else _in_state(known, told.get("state"))
            if entry is not None:
                found[entry.id] = entry
        return list(found.values())

    def planned(self, sources: Sequence[tuple[str, Sequence[Path]]], reason: str) -> list[Entry]:
        """New entries for these pictures (path in the folder, all files that go); nothing is written yet."""
        numbers = [int(entry.id) for entry in self.entries() if entry.id.isdecimal()]
        first = max(numbers, default=0) + 1
        return [
            Entry(
                f"{number:06d}",
                file,
                reason,
                time.time(),
                tuple(Piece(path, self._place_of(f"{number:06d}", path)) for path in paths),
            )
            for number, (file, paths) in enumerate(sources, start=first)
        ]

    def begin(self, entries: Iterable[Entry]) -> None:
        """Write down that these are to be moved into the bin; they are safely on the disk then.

        Raises:
            OutputError: the disk refuses.
        """
        self._append([self._line(entry) for entry in entries], safely=True)

    def note(self, entries: Iterable[Entry], state: str) -> None:
        """Write down a new state of entries.

        Raises:
            OutputError: the disk refuses.
        """
        self._append([{"id": entry.id, "state": state} for entry in entries], safely=state == RESTORING)

    def _place_of(self, number: str, path: Path) -> Path:
        inside = path.is_relative_to(self.folder)
        return self.place / number / path.name if inside else self.place / number / "mask" / path.name

    def _line(self, entry: Entry) -> dict[str, Any]:
        pieces = [[self._short(piece.origin), self._in_bin(piece.place)] for piece in entry.pieces]
        plain = {"id": entry.id, "state": entry.state, "time": entry.time, "file": entry.file}
        return {**plain, "reason": entry.reason, "pieces": pieces}

    def _short(self, path: Path) -> str:
        """Relative where it can be, so that a folder may move together with its bin."""
        return path.relative_to(self.folder).as_posix() if path.is_relative_to(self.folder) else str(path)

    def _in_bin(self, path: Path) -> str:
        return path.relative_to(self.place).as_posix()

    def _entry(self, told: dict[str, Any]) -> Entry | None:
        """The entry of its first line; None where the line is not one that we wrote."""
        try:
            pieces = [Piece(self.folder / origin, self.place / place) for origin, place in told["pieces"]]
            places = [piece.place for piece in pieces]
            if not places or any(".." in place.parts or self.place not in place.parents for place in places):
                return None
            file, reason = str(told["file"]), str(told["reason"])
            return Entry(str(told["id"]), file, reason, float(told["time"]), tuple(pieces), str(told["state"]))
        except (KeyError, TypeError, ValueError):
            return None

    def _append(self, lines: list[dict[str, Any]], safely: bool) -> None:
        try:
            self.place.mkdir(exist_ok=True)
            with self.file.open("ab+") as file:
                file.seek(0, os.SEEK_END)
                if file.tell():
                    file.seek(-1, os.SEEK_END)
                    if file.read() != b"\n":  # the half line of a process that was killed
                        file.write(b"\n")
                file.write("".join(json.dumps(line) + "\n" for line in lines).encode("ascii"))
                file.flush()
                if safely:
                    os.fsync(file.fileno())
        except OSError as error:
            cure = "make room, or check the folder's rights"
            raise OutputError(f"{self.file} can't be written ({error}); {cure}.") from error


def _told(line: bytes) -> dict[str, Any] | None:
    try:
        told = json.loads(line)
    except ValueError:
        return None  # the half line of a process that was killed
    return told if isinstance(told, dict) and isinstance(told.get("id"), str) else None


def _in_state(entry: Entry, state: Any) -> Entry:
    return Entry(entry.id, entry.file, entry.reason, entry.time, entry.pieces, str(state))
