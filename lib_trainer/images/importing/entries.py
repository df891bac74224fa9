"""What lies in a source before anything is copied: files with their names, and what is wrong with some of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from lib_trainer.images.suffixes import OTHER_PICTURE_SUFFIXES, PICTURE_SUFFIXES

HIDDEN = "__MACOSX"


@dataclass(frozen=True)
class Entry:
    """One file of a source: its path inside (with /), how to read it, and its caption where that comes with it.

    `open` raises UnreadableEntry, or an OSError of the disk.
    """

    name: str
    open: Callable[[], IO[bytes]]
    real: Path | None = None  # where it lies, unless inside an archive or a table
    words: Words | None = None

    @property
    def suffix(self) -> str:
        """The ending of its name in small letters, with its dot."""
        return PurePosixPath(self.name).suffix.lower()

    @property
    def stem(self) -> str:
        """Its path without the ending."""
        return PurePosixPath(self.name).with_suffix("").as_posix()

    @property
    def folder(self) -> str:
        """The path of its folder, "." for the source itself."""
        return PurePosixPath(self.name).parent.as_posix()

    @property
    def is_picture(self) -> bool:
        """Whether its name says so."""
        return self.suffix in PICTURE_SUFFIXES

    @property
    def is_other_picture(self) -> bool:
        """Whether it is a picture of a kind that can't be read."""
        return self.suffix in OTHER_PICTURE_SUFFIXES


@dataclass(frozen=True)
class Words:
    """What a table or a caption file says of a picture."""

    caption: str = ""
    tags: str = ""

    def joined(self, way: str) -> tuple[str, str]:
        """The text of NAME.txt and that of NAME.caption, by the option `tags`."""
        if way == "apart":
            return self.tags, self.caption
        parts = {
            "after": (self.caption, self.tags),
            "before": (self.tags, self.caption),
            "leave": (self.caption,),
            "instead": (self.tags or self.caption,),
        }[way]
        return ", ".join(part for part in parts if part), ""


@dataclass(frozen=True)
class Left:
    """What was not taken, or not as it was, and why."""

    name: str
    reason: str


@dataclass
class Source:
    """One source: its files, those left out by their names, and pictures that can only be read one after the other."""

    path: Path
    entries: list[Entry] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    rows: Callable[[Callable[[Left], None]], Iterator[Entry]] | None = None


class UnreadableEntry(Exception):  # noqa: N818 - it belongs to one file, not to the program
    """One file of a source can't be read; the message says why, without its name."""


def opened(path: Path) -> IO[bytes]:
    """The bytes of a file on the disk."""
    return path.open("rb")


def is_hidden(name: str) -> bool:
    """Whether it is of a file manager's own making, or meant not to be seen."""
    return any(part.startswith(".") or part == HIDDEN for part in PurePosixPath(name).parts)
