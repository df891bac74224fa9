"""What is known about a folder of pictures before any of them is opened for training."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Picture:
    """One readable picture; width and height in pixels as it is seen, EXIF rotation applied."""

    path: Path
    width: int
    height: int
    caption: str
    caption_source: str
    repeats: int = 1


@dataclass(frozen=True)
class Skipped:
    """A file that looks like a picture and can't be used."""

    path: Path
    reason: str


@dataclass(frozen=True)
class PictureFolder:
    """What a scan found, in a stable order; `notices` are sentences for the user (an odd encoding, say)."""

    folder: Path
    pictures: list[Picture] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
