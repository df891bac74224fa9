"""Which class pictures are needed: those that the user has, and how many are missing and where they go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lib_trainer.core.errors import DataError
from lib_trainer.dataset.options import DatasetOptions
from lib_trainer.dataset.order import Size
from lib_trainer.images.folder import scan
from lib_trainer.images.options import CaptionOptions
from lib_trainer.images.pictures import Picture
from lib_trainer.images.suffixes import PICTURE_SUFFIXES

Group = tuple[int | None, Size]  # a concept, by its number, and a size in which it is shown
DRAWN = "drawn-"  # begins the names of folders with pictures that we drew
MANIFEST = "manifest.json"  # and what lies in each of them


@dataclass(frozen=True)
class ClassSet:
    """The class pictures of one concept: the user's own, and how many must be there besides of each size."""

    concept: int
    prompt: str
    folder: Path
    own: list[Picture]
    shown: dict[Size, int]
    to_draw: dict[Size, int]

    def drawn(self, folder: Path) -> list[tuple[Size, int, Path]]:
        """Size, number and file of each drawn picture, there or missing; their numbers are their seeds."""
        return [
            (size, number, folder / f"{size[0]}x{size[1]}-{number:05d}.png")
            for size, count in sorted(self.to_draw.items())
            for number in range(1, count + 1)
        ]


def class_sets(options: DatasetOptions, shown: Counter[Group], wanted: int, home: Path) -> list[ClassSet]:
    """What is needed for each concept with a class; `shown` counts what is to learn in an epoch.

    Of `wanted` pictures those that the user has not are to be drawn, into the class folder or below `home`, in the
    sizes of the pictures to learn.

    Raises:
        DataError: there is none, and none can be drawn; or the user's can't be read.
    """
    return [
        _class_set(options, number, {size: count for (concept, size), count in shown.items() if concept == number},
                   wanted, home)
        for number, concept in enumerate(options.concepts)
        if concept.keeps_class
    ]  # fmt: skip


def _class_set(options: DatasetOptions, number: int, shown: dict[Size, int], wanted: int, home: Path) -> ClassSet:
    concept = options.concepts[number]
    prompt = concept.class_prompt.strip()
    own = list(_own(concept.class_folder, prompt))
    missing = max(0, wanted - len(own)) if prompt else 0
    if not own and not missing:
        raise DataError(
            f"There is no class picture of concept {number + 1} in {concept.class_folder or 'any folder'}, and none "
            "can be drawn: set 'prior.pictures' and the concept's 'class_prompt', or put pictures there."
        )
    showings = sum(shown.values())
    to_draw = {size: -(-missing * count // showings) for size, count in shown.items()} if missing else {}
    return ClassSet(number, prompt, concept.class_folder or home, own, shown, to_draw)


def _own(folder: Path | None, prompt: str) -> Iterator[Picture]:
    """The user's pictures with their captions; those that were drawn once, for whichever model, are none of them."""
    if folder is None or not any(_is_own(path, folder) for path in folder.rglob("*")):
        return
    for picture in scan(folder, CaptionOptions(prompt=prompt)).pictures:
        if _is_own(picture.path, folder):
            yield picture


def _is_own(path: Path, folder: Path) -> bool:
    inside = path.relative_to(folder).parts[:-1]
    return path.suffix.lower() in PICTURE_SUFFIXES and not any(part.startswith(DRAWN) for part in inside)
