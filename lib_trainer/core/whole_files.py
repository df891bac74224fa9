"""Files and folders that are either there whole or not at all: written under a temporary name, flushed, renamed."""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

LEFTOVER = re.compile(r".+\.\d+-\d+(\.old)?\.tmp", re.DOTALL)
LONGEST_KEPT = 200  # bytes of a name in its temporary name


@contextmanager
def whole_file(path: Path, flush: bool = True) -> Iterator[IO[bytes]]:
    """A binary file that takes its name only when the block ends well.

    The temporary name lies in the same folder and ends in `.tmp`, which no WebUI scans for. Without `flush` it may be
    missing after a power cut: only for what can be written again.

    Raises:
        OSError: what the disk said; the old file, if any, is untouched then.
    """
    temporary = _temporary(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with temporary.open("wb") as file:
            yield file
            if flush:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A new folder that takes its name only when the block ends well; one of that name is replaced.

    Its temporary name is as that of files; the old folder is gone for a moment while they are exchanged.

    Raises:
        OSError: what the disk said; the old folder, if any, is untouched then.
    """
    temporary = _temporary(path)
    old = temporary.with_suffix(".old.tmp")
    temporary.mkdir(parents=True)
    try:
        yield temporary
        _flush(temporary)
        if path.exists():
            path.replace(old)
        try:
            temporary.replace(path)
        except OSError:
            if old.exists():
                old.replace(path)
            raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it; it may be gone already."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> None:
    """Remove what was being written here and further inside when its process was killed; for who works there alone."""
    for path in list(folder.rglob("*.tmp")):
        if LEFTOVER.fullmatch(path.name):
            remove(path)


def _flush(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb+") as file:
                os.fsync(file.fileno())


def _temporary(path: Path) -> Path:
    kept = os.fsencode(path.name)[:LONGEST_KEPT].decode("utf-8", "ignore")  # a disk takes names of 255 bytes
    return path.with_name(f"{kept}.{os.getpid()}-{threading.get_native_id()}.tmp")


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text as a whole file."""
    with whole_file(path) as file:
        file.write(text.encode("utf-8"))
