"""The sizes of pictures, remembered by path, length and time, so that what was looked at is not decoded again."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

from lib_trainer.core.errors import OutputError
from lib_trainer.core.whole_files import write_text
from lib_trainer.images.buckets import Size
from lib_trainer.images.pixels import PictureError, measure

# A file that was written this shortly before it was looked at may change again without a change of its time.
SETTLED_NANOSECONDS = 2_000_000_000
Stamp = tuple[int, int]

Known = dict[str, tuple[int, int, int, int, str]]


class KnownSizes:
    """What is known of each picture: bytes, time of change, width, height, and why it can't be used, if it can't."""

    def __init__(self, cache: Path, folder: Path) -> None:
        """Read what the cache folder knows of this folder of pictures."""
        place = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
        self._index = cache / "sizes" / f"{place}.json"
        self._before = _read(self._index)
        self._now: Known = {}

    def measure(self, path: Path) -> Size:
        """As `measure` in `pixels.py`, from memory if the file is as it was.

        Raises:
            PictureError: the file can't be used.
        """
        known = self._before.get(str(path))
        if known is None or known[:2] != file_stamp(path):
            return self.learn(path, measure)
        self._now[str(path)] = known
        if known[4]:
            raise PictureError(path, known[4])
        return known[2], known[3]

    def learn(self, path: Path, look: Callable[[Path], Size]) -> Size:
        """The size that `look` finds, remembered.

        Raises:
            PictureError: what `look` raises, remembered as well.
        """
        stamp = file_stamp(path)
        try:
            width, height = look(path)
        except PictureError as error:
            self._now[str(path)] = (*stamp, 0, 0, error.reason)
            raise
        self._now[str(path)] = (*stamp, width, height, "")
        return width, height

    def save(self) -> None:
        """Write what was looked at since, if it is anything new.

        Raises:
            OutputError: the disk refuses.
        """
        settled = time.time_ns() - SETTLED_NANOSECONDS
        known = {path: entry for path, entry in self._now.items() if entry[1] < settled}
        if known == self._before:
            return
        try:
            write_text(self._index, json.dumps(known))
        except OSError as error:
            raise OutputError(
                f"The cache file {self._index} can't be written ({error}); make room there or choose another folder."
            ) from error


def file_stamp(path: Path) -> Stamp:
    """A file's size in bytes and the time of its last change in nanoseconds: as long as they stay, so does the file."""
    try:
        status = path.stat()
    except OSError:
        return -1, 0  # gone meanwhile; whoever opens it says so
    return status.st_size, status.st_mtime_ns


def _read(index: Path) -> Known:
    try:
        told = json.loads(index.read_text(encoding="utf-8"))
        return {path: (int(a), int(b), int(c), int(d), str(e)) for path, (a, b, c, d, e) in told.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
