"""Changes of caption files that can be taken back: noted before they are made, one file of notes for each act.

An act's file is NUMBER-STATE.json: a line about the act, then one for each changed file with what it held before and
what it holds after. STATE is `done`, `undone`, or `past` where nothing leads back to it any more.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lib_trainer.core.errors import OutputError
from lib_trainer.core.file_lock import file_lock
from lib_trainer.core.whole_files import whole_file, write_text

ACT = re.compile(r"(\d{6,})-(done|undone|past)\.json")
LOCK_SECONDS = 30.0
CHANGED_SINCE = "it was changed by another program since and left as it is now"


@dataclass(frozen=True)
class Change:
    """What one caption file held, and what it is to hold; None where there is no file."""

    file: Path
    before: bytes | None
    after: bytes | None


@dataclass
class Outcome:
    """What became of an act: the files that were written, and why others were left."""

    title: str = ""
    done: list[Path] = field(default_factory=list)
    left: dict[Path, str] = field(default_factory=dict)


class CaptionHistory:
    """The acts on the captions of one folder of pictures, for all who change them."""

    def __init__(self, data: Path, pictures: Path) -> None:
        """`data` is the trainer's own folder."""
        digest = hashlib.sha256(os.fsencode(os.path.normcase(pictures.absolute()))).hexdigest()[:16]
        self.folder = data / "caption-history" / digest

    def write(self, title: str, changes: Sequence[Change]) -> Outcome:
        """Write captions as one act; a file that no longer holds what it held `before` is left.

        Raises:
            OutputError: the act can't be noted; no caption was touched then.
        """
        with self._locked():
            acts = self._acts()
            number = max(acts, default=0) + 1
            self._note(number, title, changes)
            outcome = _put_all(title, [(each.file, each.before, each.after) for each in changes])
            self._note_without(number, title, changes, outcome.left)
            if outcome.done:
                for undone in (each for each, state in acts.items() if state == "undone"):
                    self._move(undone, "undone", "past")
        return outcome

    def undo(self) -> Outcome | None:
        """Take the last act back; None where none is left."""
        with self._locked():
            done = [number for number, state in self._acts().items() if state == "done"]
            return self._turn(max(done), "done", "undone") if done else None

    def redo(self) -> Outcome | None:
        """Do the act again that was taken back last; None where none was."""
        with self._locked():
            undone = [number for number, state in self._acts().items() if state == "undone"]
            return self._turn(min(undone), "undone", "done") if undone else None

    def undo_file(self, files: Collection[Path]) -> Outcome | None:
        """Take the last change back of one of these files; the rest of its act stays; None where none is left."""
        with self._locked():
            for number in sorted((each for each, state in self._acts().items() if state == "done"), reverse=True):
                title, changes = self._read(number, "done")
                if found := [each for each in changes if each.file in files]:
                    last = found[-1]
                    outcome = _put_all(title, [(last.file, last.after, last.before)])
                    if outcome.done:
                        self._note_without(number, title, changes, {last.file})
                    return outcome
        return None

    def titles(self) -> tuple[str, str]:
        """What can be taken back and done again next; an empty text where nothing can."""
        acts = self._acts()
        done = max((number for number, state in acts.items() if state == "done"), default=0)
        undone = min((number for number, state in acts.items() if state == "undone"), default=0)
        return self._title(done, "done") if done else "", self._title(undone, "undone") if undone else ""

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with file_lock(self.folder / "lock", LOCK_SECONDS) as free:
                if not free:
                    raise OutputError(f"Somebody else changes these captions ({self.folder}); try again when done.")
                yield
        except (OSError, ValueError, KeyError) as error:
            raise OutputError(f"The notes in {self.folder} can't be kept ({error}); make room or mend them.") from error

    def _acts(self) -> dict[int, str]:
        if not self.folder.is_dir():
            return {}
        found = (ACT.fullmatch(path.name) for path in self.folder.iterdir())
        return dict(sorted((int(each[1]), each[2]) for each in found if each))

    def _file(self, number: int, state: str) -> Path:
        return self.folder / f"{number:06d}-{state}.json"

    def _move(self, number: int, before: str, after: str) -> None:
        self._file(number, before).replace(self._file(number, after))

    def _title(self, number: int, state: str) -> str:
        try:
            with self._file(number, state).open(encoding="utf-8") as file:
                return str(json.loads(file.readline())["title"])
        except (OSError, ValueError, KeyError):
            return "a change that can't be read"

    def _note(self, number: int, title: str, changes: Sequence[Change]) -> None:
        lines: list[dict[str, Any]] = [{"title": title, "time": time.time()}]
        lines += [
            {"file": str(each.file), "before": _as_text(each.before), "after": _as_text(each.after)}
            for each in changes
        ]
        write_text(self._file(number, "done"), "".join(json.dumps(line) + "\n" for line in lines))

    def _note_without(self, number: int, title: str, changes: Sequence[Change], left: Collection[Path]) -> None:
        """Note an act again without some of its changes; one that is empty then is past."""
        if left:
            stay = [each for each in changes if each.file not in left]
            self._note(number, title, stay or changes)
            if not stay:
                self._move(number, "done", "past")

    def _read(self, number: int, state: str) -> tuple[str, list[Change]]:
        text = self._file(number, state).read_text(encoding="utf-8")
        told, *lines = [json.loads(line) for line in text.splitlines()]
        changes = [Change(Path(one["file"]), _as_bytes(one["before"]), _as_bytes(one["after"])) for one in lines]
        return told["title"], changes

    def _turn(self, number: int, before: str, after: str) -> Outcome:
        title, changes = self._read(number, before)
        back = after == "undone"
        turned = [(each.file, *((each.after, each.before) if back else (each.before, each.after))) for each in changes]
        outcome = _put_all(title, turned)
        self._move(number, before, after)
        return outcome


def content(file: Path) -> bytes | None:
    """What a file holds; None where there is none.

    Raises:
        OSError: it can't be read.
    """
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None


def _put_all(title: str, wanted: Sequence[tuple[Path, bytes | None, bytes | None]]) -> Outcome:
    """Write each (file, what it must hold now, what it is to hold)."""
    outcome = Outcome(title)
    for file, held, new in wanted:
        try:
            now = content(file)
            if now not in (held, new):
                outcome.left[file] = CHANGED_SINCE
                continue
            if now != new:
                _put(file, new)
            outcome.done.append(file)
        except OSError as error:
            outcome.left[file] = f"it can't be written ({error}); make room, or check the folder's rights"
    return outcome


def _put(file: Path, new: bytes | None) -> None:
    if new is None:
        file.unlink(missing_ok=True)
        return
    with whole_file(file, flush=False) as opened:  # the notes were flushed, and they hold the same
        opened.write(new)


def _as_text(data: bytes | None) -> str | None:
    """Any bytes as text that JSON can hold and `_as_bytes` turns back."""
    return None if data is None else data.decode("utf-8", "surrogateescape")


def _as_bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode("utf-8", "surrogateescape")
