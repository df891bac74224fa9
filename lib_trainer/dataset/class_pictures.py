"""What class pictures are in training, once all of them are there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from lib_trainer.dataset.class_sets import ClassSet
from lib_trainer.dataset.concepts import Source
from lib_trainer.dataset.context import DatasetContext
from lib_trainer.dataset.entries import Entry, entries_of
from lib_trainer.dataset.options import DatasetOptions, held_out_options
from lib_trainer.dataset.prospects import Prospect
from lib_trainer.images.buckets import nearest_bucket
from lib_trainer.images.pictures import Picture


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
