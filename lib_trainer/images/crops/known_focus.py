"""The focus of pictures, remembered by path, length and time, so that what was looked at is not searched again."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Collection
from pathlib import Path

from lib_trainer.core.errors import OutputError
from lib_trainer.core.whole_files import write_text
from lib_trainer.images.crops.faces import SIDE, FaceFinder
from lib_trainer.images.crops.focus import PARTS, Focus, find_focus
from lib_trainer.images.known_sizes import SETTLED_NANOSECONDS, Stamp, file_stamp
from lib_trainer.images.pixels import open_small

VERSION = 1  # raise it when the same picture begins to have another focus

Known = dict[str, tuple[Stamp, Focus]]


class KnownFocus:
    """What is known of the focus of a folder's pictures; `of` may be called from any number of threads."""

    def __init__(self, cache: Path, folder: Path, background: str) -> None:
        place = hashlib.sha256(os.fsencode(folder) + b"\0" + background.encode()).hexdigest()[:16]
        self._index = cache / "focus" / f"{place}.json"
        self._known = _read(self._index)
        self._background = background
        self._faces = FaceFinder()
        self._is_new = False

    def of(self, picture: Path) -> Focus:
        """The focus of a picture.

        Raises:
            PictureError: it can't be opened.
        """
        stamp = file_stamp(picture)
        known = self._known.get(str(picture))
        if known is not None and known[0] == stamp:
            return known[1]
        small, _ = open_small(picture, self._background, SIDE)
        focus = find_focus(small, self._faces)
        self._known[str(picture)] = (stamp, focus)
        self._is_new = True
        return focus

    def save(self, pictures: Collection[Path]) -> None:
        """Write what is known of these pictures, if anything is new.

        Raises:
            OutputError: the disk refuses.
        """
        if not self._is_new:
            return
        wanted, settled = set(map(str, pictures)), time.time_ns() - SETTLED_NANOSECONDS
        kept = {
            path: [*stamp, focus.columns, focus.rows]
            for path, (stamp, focus) in self._known.items()
            if path in wanted and stamp[1] < settled
        }
        try:
            write_text(self._index, json.dumps({"version": VERSION, "pictures": kept}))
        except OSError as error:
            raise OutputError(f"The cache file {self._index} can't be written ({error}); make room there.") from error


def _read(index: Path) -> Known:
    """A cache that can't be used is made anew."""
    try:
        told = json.loads(index.read_text(encoding="utf-8"))
        if told["version"] != VERSION:
            return {}
        return {
            str(path): ((int(length), int(changed)), Focus(_parts(columns), _parts(rows)))
            for path, (length, changed, columns, rows) in told["pictures"].items()
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _parts(told: list[int]) -> tuple[int, ...]:
    if len(told) != PARTS:
        raise ValueError(f"{len(told)} parts instead of {PARTS}")
    return tuple(map(int, told))
