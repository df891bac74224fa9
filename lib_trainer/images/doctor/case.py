"""What the doctor's checks look at: a folder's pictures, what was measured of them, and how they are to be trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lib_trainer.images.buckets import Size, training_sizes
from lib_trainer.images.doctor.examining import Examined
from lib_trainer.images.doctor.options import CheckOptions
from lib_trainer.images.pictures import Picture, PictureFolder


@dataclass(frozen=True)
class Case:
    """One folder as it was found; `count_tokens` counts the tokens of a caption, `classes` the class pictures."""

    options: CheckOptions
    found: PictureFolder
    examined: dict[Path, Examined]
    count_tokens: Callable[[str], int]
    classes: int | None = None

    @property
    def pictures(self) -> list[Picture]:
        return self.found.pictures

    def name(self, path: Path) -> str:
        """A file as it stands in the findings."""
        folder = self.found.folder
        return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)

    @cached_property
    def sizes(self) -> dict[Path, Size]:
        """The size in training of each picture."""
        sizes = training_sizes([(one.width, one.height) for one in self.pictures], [self.options.buckets])
        return {picture.path: size for picture, (size,) in zip(self.pictures, sizes, strict=True)}

    @cached_property
    def groups(self) -> dict[str, list[Picture]]:
        """The pictures of each folder inside the folder, and under "" those that lie in it or if there is but one."""
        groups: dict[str, list[Picture]] = {}
        for picture in self.pictures:
            parts = self.name(picture.path).split("/")
            groups.setdefault(parts[0] if len(parts) > 1 else "", []).append(picture)
        return groups if len(groups) > 1 else {"": list(self.pictures)}

    def showings(self, picture: Picture) -> int:
        """How often a picture comes in one epoch."""
        return picture.repeats * self.options.repeats
