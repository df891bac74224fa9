"""Class pictures: which the user has, how many are missing and where they go, and what they are in training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lib_trainer.core.errors import DataError
from lib_trainer.dataset.concepts import Source
from lib_trainer.dataset.context import DatasetContext
from lib_trainer.dataset.entries import Entry, entries_of
from lib_trainer.dataset.options import DatasetOptions, held_out_options
from lib_trainer.dataset.order import Size
from lib_trainer.dataset.prior import Group
from lib_trainer.dataset.prospects import Prospect
from lib_trainer.images.buckets import nearest_bucket
from lib_trainer.images.folder import scan
from lib_trainer.images.options import CaptionOptions
from lib_trainer.images.pictures import Picture
from lib_trainer.images.suffixes import PICTURE_SUFFIXES

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


def class_entries(needed: ClassSet, drawn: Path, options: DatasetOptions, context: DatasetContext) -> list[Entry]:
    """What a set's pictures are in training, once all of them are there; `drawn` is where ours lie.

    One's own picture has the nearest of the sizes that are learned; a size that would have none takes all, cropped.

    Raises:
        OutputError: the cache can't be written.
    """
    neutral = class_options(options)
    ours = [
        Prospect(Picture(path, *size, needed.prompt, "class prompt"), 1, size)
        for size, _, path in needed.drawn(drawn)
    ]
    entries = [
        *_entries(list(_own_prospects(needed)), replace(neutral, folder=needed.folder), needed.concept, context),
        *_entries(ours, replace(neutral, folder=drawn), needed.concept, context),
    ]
    _notice_few(needed, context)
    return entries


def class_options(options: DatasetOptions) -> DatasetOptions:
    """The options for class pictures: nothing varies; the trigger and words around captions are for what is learned."""
    told = held_out_options(options, options.folder)
    return replace(told, trigger="", wording=replace(told.wording, prefix="", suffix=""))


def _own_prospects(needed: ClassSet) -> Iterator[Prospect]:
    sizes = sorted(needed.shown)
    nearest = [nearest_bucket(picture.width, picture.height, sizes) for picture in needed.own]
    for picture, size in zip(needed.own, nearest, strict=True):
        yield Prospect(picture, picture.repeats, size)
    for size in sizes:
        if size not in nearest and not needed.to_draw.get(size):
            yield from (Prospect(picture, picture.repeats, size) for picture in needed.own)


def _entries(found: Sequence[Prospect], options: DatasetOptions, concept: int, context: DatasetContext) -> list[Entry]:
    return entries_of(found, {}, Source(options, concept, ()), context) if found else []


def _notice_few(needed: ClassSet, context: DatasetContext) -> None:
    without = [picture.path.name for picture in needed.own if not picture.caption]
    if without:
        context.warn(
            f"{len(without)} class pictures of concept {needed.concept + 1} have no caption, {without[0]} first; write "
            "captions, or set the concept's 'class_prompt'."
        )
    count, learnt = len(needed.own) + sum(needed.to_draw.values()), sum(needed.shown.values())
    if count < learnt:
        context.warn(
            f"There are only {count} class pictures of concept {needed.concept + 1} for {learnt} pictures of an epoch; "
            "each is seen several times and may be learnt by heart. Better are 20 to 100 times as many as own pictures."
        )
