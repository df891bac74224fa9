"""Threads of ours in the host's process; their names tell which run each sees through, also after `Reload UI`."""

from __future__ import annotations

import threading
from collections.abc import Callable


def start_thread(name: str, work: Callable[[], None]) -> threading.Thread:
    """Start a thread that does not keep the host from ending: engines go on without it."""
    thread = threading.Thread(target=work, name=_full_name(name), daemon=True)
    thread.start()
    return thread


def is_alive(name: str) -> bool:
    """Whether a thread of ours of that name works in this process."""
    return any(thread.name == _full_name(name) for thread in threading.enumerate())


def _full_name(name: str) -> str:
    return f"lib-trainer {name}"
