"""The folder that pictures are brought into: names that fit, the same file not twice, nothing overwritten."""

from __future__ import annotations

import hashlib
import itertools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from lib_trainer.core.file_names import safe_path
from lib_trainer.core.whole_files import whole_file
from lib_trainer.images.suffixes import PICTURE_SUFFIXES

BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class Arrival:
    """A picture that lies whole in a place of its own, to be moved to where it belongs, and its texts."""

    name: str
    file: Path
    digest: str
    text: str
    caption: str


@dataclass(frozen=True)
class Landed:
    """What became of an arrival: it is new, was there already, or is the same file as another one."""

    how: Literal["new", "there", "same"]
    name: str  # inside the folder; of the other one where it is the same
    other_words: bool = False  # words lie there already that are not these


class Landing:
    """The folder, and what is known of it; only one process may bring pictures into it at a time."""

    def __init__(self, folder: Path, keeps_same: bool) -> None:
        self.folder, self._keeps_same = folder, keeps_same
        self._stems: dict[str, Path] = {}  # without regard to capitals, as many disks have it
        self._folders: dict[str, str] = {".": "."}
        self._sizes: dict[int, list[Path]] = defaultdict(list)
        self._digests: dict[Path, str] = {}
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder)
            if path.suffix.lower() in PICTURE_SUFFIXES and path.is_file() and not inside.as_posix().startswith("."):
                self._know(path)

    def _know(self, path: Path) -> None:
        inside = path.relative_to(self.folder)
        self._stems[_stem(inside.as_posix())] = path
        parent = inside.parent.as_posix()
        self._folders.setdefault(parent.casefold(), parent)
        self._sizes[path.stat().st_size].append(path)

    def land(self, arrival: Arrival) -> Landed:
        """Move an arrival to its name, and write its words unless others lie there.

        Raises:
            OSError: what the disk said.
        """
        size = arrival.file.stat().st_size
        same = [path for path in self._sizes[size] if self._digest(path) == arrival.digest]
        for name in self._names(arrival.name):
            path = self._stems.get(_stem(name))
            if path is None and same and not self._keeps_same:
                arrival.file.unlink()
                return Landed("same", self._inside(same[0]), _says_else(same[0], arrival))
            if path is None:
                return self._new(arrival, self.folder / name)
            if path in same:
                arrival.file.unlink()
                return Landed("there", self._inside(path), self._write(path, arrival))
        raise AssertionError("unreachable")

    def _new(self, arrival: Arrival, path: Path) -> Landed:
        path.parent.mkdir(parents=True, exist_ok=True)
        arrival.file.replace(path)
        self._know(path)
        self._digests[path] = arrival.digest
        return Landed("new", self._inside(path), self._write(path, arrival))

    def _write(self, picture: Path, arrival: Arrival) -> bool:
        """Write the words beside a picture; whether others lie there, which stay."""
        differs = False
        for suffix, text in ((".txt", arrival.text), (".caption", arrival.caption)):
            file = picture.with_suffix(suffix)
            if text and not file.exists():
                with whole_file(file) as stream:
                    stream.write(text.encode("utf-8"))
            elif text and file.read_bytes() != text.encode("utf-8"):
                differs = True
        return differs

    def _names(self, wished: str) -> Iterator[str]:
        """The name that was wished for, and others where it is taken; folders keep their first spelling."""
        path = PurePosixPath(safe_path(wished))
        parent = self._folders.setdefault(path.parent.as_posix().casefold(), path.parent.as_posix())
        yield (PurePosixPath(parent) / path.name).as_posix()
        for number in itertools.count(2):
            yield (PurePosixPath(parent) / f"{path.stem}-{number}{path.suffix}").as_posix()

    def _digest(self, path: Path) -> str:
        if path not in self._digests:
            self._digests[path] = file_digest(path)
        return self._digests[path]

    def _inside(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()


def file_digest(path: Path) -> str:
    """The SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _says_else(picture: Path, arrival: Arrival) -> bool:
    file = picture.with_suffix(".txt")
    there = file.read_bytes() if file.is_file() else b""
    return bool(arrival.text) and there != arrival.text.encode("utf-8")


def _stem(name: str) -> str:
    return PurePosixPath(name).with_suffix("").as_posix().casefold()
