"""A lock that a process holds on a file and loses when it ends, however it ends."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

RETRY_SECONDS = 0.02


@contextmanager
def file_lock(path: Path, wait_seconds: float = 0) -> Iterator[bool]:
    """Try to lock a file, for so long; yields whether we hold it now. The file itself stays.

    Asking `is_locked` holds the lock for an instant; who must not take that for an owner waits a little.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        end = time.monotonic() + wait_seconds
        ours = try_lock(file)
        while not ours and time.monotonic() < end:
            time.sleep(RETRY_SECONDS)
            ours = try_lock(file)
        yield ours


def is_locked(path: Path) -> bool:
    """Whether some process holds the lock."""
    if not path.exists():
        return False
    with file_lock(path) as free:
        return not free


def try_lock(file: IO[bytes]) -> bool:
    """Lock a file while it, or a child's copy of its descriptor, stays open; False if another process holds it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
