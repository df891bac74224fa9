"""Follow a run by its files: works for the process that started it, another one, or long after it has ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from lib_trainer.core.events import ENDINGS, Event, Failed
from lib_trainer.core.file_lock import is_locked
from lib_trainer.core.run_directory import RunDirectory

POLL_SECONDS = 0.1
LOG_TAIL = 2000


def follow(run: RunDirectory, offset: int = 0, is_alive: Callable[[], bool] | None = None) -> Iterator[Event]:
    """Yield the run's events from a byte offset of `events.jsonl` until its engine has ended.

    An engine that died without a word (killed, out of memory) yields a `Failed` with the end of its log.
    """
    alive = is_alive or (lambda: is_locked(run.lock_file))
    while True:
        still_alive = alive()  # asked before reading: what a dead engine wrote last is then read too
        events, offset = run.events_after(offset)
        yield from events
        if any(isinstance(event, ENDINGS) for event in events[-1:]):
            return
        if not still_alive:
            yield Failed("The engine ended without a word; it was killed, or ran out of memory.", _log_tail(run))
            return
        time.sleep(POLL_SECONDS)


def _log_tail(run: RunDirectory) -> str:
    if not run.log_file.exists():
        return ""
    return run.log_file.read_text(encoding="utf-8", errors="replace")[-LOG_TAIL:]
