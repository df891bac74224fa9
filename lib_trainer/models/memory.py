"""Memory that was freed goes back to the system, where the C library would keep it."""

from __future__ import annotations

import ctypes
import sys


def return_freed_memory() -> None:
    """Give freed heap memory of this process back; only glibc keeps so much of it that it matters."""
    if not sys.platform.startswith("linux"):
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
