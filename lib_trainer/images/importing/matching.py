"""Which picture a table's row means: by its path in there, its path on the disk, or a name that only one has."""

from __future__ import annotations

import os
import posixpath
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath

from lib_trainer.images.importing.entries import Entry, Source

Place = tuple[int, str]  # which of the sources, and the name in there


class PictureIndex:
    """All pictures of all sources by every name that a table may give them; nothing outside of the sources is found."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._exact: dict[Place, Place] = {}
        self._stems: dict[Place, list[Place]] = defaultdict(list)
        self._real: dict[str, Place] = {}
        self._names: dict[str, list[Place]] = defaultdict(list)
        for number, source in enumerate(sources):
            for entry in source.entries:
                if entry.is_picture:
                    self._add(number, entry)

    def _add(self, number: int, entry: Entry) -> None:
        place = (number, entry.name)
        self._exact[number, _key(entry.name)] = place
        self._stems[number, _key(entry.stem)].append(place)
        if entry.real is not None:
            self._real[_key(entry.real.absolute().as_posix())] = place
        last = PurePosixPath(entry.name)
        for name in {last.name, last.stem}:
            self._names[_key(name)].append(place)

    def beside(self, name: str, number: int, folder: str) -> Place | None:
        """The picture of that path below a folder of a source."""
        return self._exact.get((number, _key(posixpath.join(folder, name))))

    def anywhere(self, name: str) -> Place | str:
        """The one picture that this path or name (without ending) means in any source, or why there is none."""
        key = _key(name)
        if key in self._real:
            return self._real[key]
        numbers = {number for number, _ in self._exact}
        found = [self._exact[number, key] for number in sorted(numbers) if (number, key) in self._exact]
        found = found or [place for number in sorted(numbers) for place in self._stems.get((number, key), [])]
        found = found or self._names.get(_key(PurePosixPath(name).name), [])
        if len(found) > 1:
            return "it may be any of several pictures of that name"
        return found[0] if found else "that picture is not there"


def _key(name: str) -> str:
    """One spelling: macOS writes the accents of file names apart from their letters."""
    return unicodedata.normalize("NFC", os.path.normpath(name)).replace("\\", "/")
