"""What a run's engine has the page's process do for it, such as enlarging a picture with the WebUI's own models.

All of it lies in the run's folder `host`: `offer.json` says what is offered, each task is a picture NAME.in with
NAME.json, and its answer NAME.out or NAME.failed. The page holds `lock` as long as it answers.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_trainer.core.errors import OutputError, StopRequested
from lib_trainer.core.file_lock import file_lock, is_locked
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.core.whole_files import remove, whole_file, write_text

FOLDER, OFFER, LOCK = "host", "offer.json", "lock"
TASK, PICTURE, ANSWER, FAILED = ".json", ".in", ".out", ".failed"
LOOK_SECONDS = 0.05
LOCK_SECONDS = 1.0
GONE_LOOKS = 40  # in a row without a page: another asking may hold its lock for an instant

Worker = Callable[[Path, Path, dict[str, Any]], None]
Offers = dict[str, list[str]]


class DeclinedError(Exception):
    """The page could not do one task; the text says why."""


@dataclass(frozen=True)
class HostDesk:
    """The engine's side: what this run's page offers, and asking for it."""

    run: RunDirectory

    def offered(self, what: str) -> list[str]:
        """The names from which one may choose; none where no page, or none that can do that, is there."""
        if not is_locked(_place(self.run) / LOCK):
            return []
        try:
            told = json.loads((_place(self.run) / OFFER).read_text(encoding="utf-8"))
            return [str(name) for name in told.get(what, [])]
        except (OSError, ValueError, AttributeError):
            return []

    def ask(self, what: str, picture: bytes, told: dict[str, Any]) -> bytes:
        """Have something done with a picture, and wait for what comes of it; from any number of threads.

        Raises:
            DeclinedError: it could not be done.
            StopRequested: the run was asked to stop meanwhile.
            OutputError: the disk refuses, or the page has ended.
        """
        task = _place(self.run) / uuid.uuid4().hex
        answer, failed = task.with_suffix(ANSWER), task.with_suffix(FAILED)
        try:
            with whole_file(task.with_suffix(PICTURE)) as file:
                file.write(picture)
            write_text(task.with_suffix(TASK), json.dumps({**told, "what": what}))
            self._wait(answer, failed)
            if failed.exists():
                if self.run.stop_requested():  # which the page may have seen first
                    raise StopRequested
                raise DeclinedError(failed.read_text(encoding="utf-8"))
            return answer.read_bytes()
        except OSError as error:
            raise OutputError(f"{task.parent} can't be used ({error}); make room there.") from error
        finally:
            for suffix in (TASK, PICTURE, ANSWER, FAILED):
                remove(task.with_suffix(suffix))

    def _wait(self, answer: Path, failed: Path) -> None:
        missed = 0
        while not (answer.exists() or failed.exists()):
            if self.run.stop_requested():
                raise StopRequested
            missed = 0 if is_locked(_place(self.run) / LOCK) else missed + 1
            if missed > GONE_LOOKS:
                raise OutputError("The page that was to help has ended; start the page again, and then this step.")
            time.sleep(LOOK_SECONDS)


@contextmanager
def offering(run: RunDirectory, offers: Offers, worker: Worker) -> Iterator[Callable[[], None]]:
    """The page's side, for as long as the block lasts: yields what does the tasks that wait now.

    `worker(source, target, task)` writes the answer; a DeclinedError of it is told to the engine.

    Raises:
        OSError: the run's folder can't be written.
    """
    place = _place(run)
    with file_lock(place / LOCK, LOCK_SECONDS) as ours:
        if not ours:
            yield lambda: None  # another page answers
            return
        for left in place.glob("*.*"):
            remove(left)
        write_text(place / OFFER, json.dumps(offers))
        yield lambda: _work(place, worker)


def _work(place: Path, worker: Worker) -> None:
    for task in sorted(place.glob(f"*{TASK}")):
        answer, failed = task.with_suffix(ANSWER), task.with_suffix(FAILED)
        if task.name == OFFER or answer.exists() or failed.exists():
            continue
        try:
            told = json.loads(task.read_text(encoding="utf-8"))
            with whole_file(answer) as file:
                worker(task.with_suffix(PICTURE), Path(file.name), told)
        except DeclinedError as error:
            write_text(failed, str(error))
        except (FileNotFoundError, ValueError):
            continue  # the engine has taken it back


def _place(run: RunDirectory) -> Path:
    return run.path / FOLDER
