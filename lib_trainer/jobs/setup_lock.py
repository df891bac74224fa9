"""One set-up at a time: a lock that the system lets go of when its holder ends, however it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lib_trainer.core.errors import OutputError
from lib_trainer.core.events import Notice
from lib_trainer.core.file_lock import try_lock
from lib_trainer.jobs.child_processes import SetupStoppedError

RETRY_SECONDS = 0.2


@contextmanager
def setting_up(
    home: Path, name: str, on_event: Callable[[Notice], None], should_stop: Callable[[], bool]
) -> Iterator[int]:
    """Hold the lock of one environment's set-up in the folder `home`, which is made first; a wait is told of.

    Args:
        name: the environment's, as "engine".

    Raises:
        OutputError: `home` can't be written.
        SetupStoppedError: `should_stop` said so while waiting.
    """
    lock = home / f"{name}.lock"
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock.touch()
    except OSError as error:
        raise OutputError(f"The folder {home} can't be written ({error}); choose another.") from error

    def on_wait() -> None:
        on_event(Notice(f"Another set-up of the {name} is running; waiting for it to end."))

    with setup_lock(lock, on_wait, should_stop) as descriptor:
        yield descriptor


@contextmanager
def setup_lock(file: Path, on_wait: Callable[[], None], should_stop: Callable[[], bool]) -> Iterator[int]:
    """Hold the lock and hand out its file descriptor; `on_wait` is called once if another process holds it.

    A child that inherits the descriptor holds the lock too (not on Windows): a pip that outlives its killed parent
    keeps the next set-up waiting until it has ended.

    Raises:
        SetupStoppedError: `should_stop` said so while waiting.
    """
    with file.open("ab") as lock:
        told = False
        while not try_lock(lock):
            if not told:
                on_wait()
                told = True
            if should_stop():
                raise SetupStoppedError("The set-up was stopped while it waited for another one.")
            time.sleep(RETRY_SECONDS)
        yield lock.fileno()
