"""Files that are either there whole or not at all: written under a temporary name, flushed, then renamed."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A binary file that takes its name only when the block ends well.

    The temporary name lies in the same folder and ends in `.tmp`, which no WebUI scans for.

    Raises:
        OSError: what the disk said; the old file, if any, is untouched then.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_native_id()}.tmp")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text as a whole file."""
    with whole_file(path) as file:
        file.write(text.encode("utf-8"))
