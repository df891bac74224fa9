"""A turn in the WebUI's queue: one picture, or one run of ours, after another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from lib_trainer.core.errors import StopRequested
from lib_trainer.core.events import Notice
from lib_trainer.core.run_directory import RunDirectory

LOOK_SECONDS = 0.1
PAUSE_SECONDS = 0.5
SAID = "Waiting for the WebUI to finish what it draws."


class Turn:
    """A place in the queue that can be given up while waiting, which the WebUI's lock itself does not allow."""

    def __init__(self, lock: Any) -> None:
        self._lock = lock
        self._deciding = threading.Lock()
        self._has_come = threading.Event()
        self._is_given_up = False

    def take(self, should_stop: Callable[[], bool], on_wait: Callable[[], None] = lambda: None) -> bool:
        """Wait for the turn; False if it was given up. `on_wait` is called once if there is anybody to wait for."""
        threading.Thread(target=self._wait, name="lib-trainer turn", daemon=True).start()
        is_told = False
        while not self._has_come.wait(LOOK_SECONDS):
            if not is_told:
                on_wait()
                is_told = True
            if should_stop():
                return self._has_come_after_all()
        return True

    def end(self) -> None:
        """Let the next one have it; any thread may."""
        self._lock.release()

    def let_others_go_first(self) -> None:
        """Let those who wait now have their turns, then go on with ours."""
        self._lock.release()
        time.sleep(PAUSE_SECONDS)  # whoever is woken must ask for the lock once more, and could find it taken again
        self._lock.acquire()

    def _wait(self) -> None:
        self._lock.acquire()
        with self._deciding:
            if self._is_given_up:
                self._lock.release()
            else:
                self._has_come.set()

    def _has_come_after_all(self) -> bool:
        with self._deciding:
            self._is_given_up = not self._has_come.is_set()
            return not self._is_given_up


def stop_asked_since_now(run: RunDirectory) -> Callable[[], bool]:
    """A question whether the run was asked to stop after this moment: a request left by an earlier engine is none."""
    before = _asked(run)
    return lambda: _asked(run) not in (None, before)


def _asked(run: RunDirectory) -> int | None:
    try:
        return (run.path / "request-stop").stat().st_mtime_ns
    except FileNotFoundError:
        return None


@contextmanager
def webui_to_itself(run: RunDirectory) -> Iterator[None]:
    """Nothing else is drawn as long as the block lasts.

    Raises:
        StopRequested: the run was asked to stop before its turn came.
    """
    from modules import call_queue

    turn = Turn(call_queue.queue_lock)
    if not turn.take(run.stop_requested, lambda: run.append(Notice(SAID))):
        raise StopRequested
    try:
        yield
    finally:
        turn.end()
