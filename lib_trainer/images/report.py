"""What the user sees of a folder of pictures before anything is done with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from lib_trainer.core.events import Notice, Table
from lib_trainer.images.buckets import Size, training_sizes
from lib_trainer.images.captions import NO_CAPTION
from lib_trainer.images.options import BucketOptions
from lib_trainer.images.pictures import Picture, PictureFolder

MOST_ROWS = 200
MOST_NOTICES = 50


def describe_pictures(
    folder: PictureFolder, buckets: Sequence[BucketOptions] = (), repeats: int = 1
) -> list[Table]:
    """Tables of what was found, what was skipped and why, and how many pictures each bucket gets.

    `repeats` multiplies the repeats of each picture; `buckets` are those of each resolution. Without any the last table
    is left out.
    """
    sizes = training_sizes([(picture.width, picture.height) for picture in folder.pictures], buckets)
    tables = [_found(folder, sizes, repeats), *skipped_files(folder)]
    if buckets:
        tables.append(_sizes(folder.pictures, sizes, repeats))
    return tables


def skipped_files(folder: PictureFolder) -> list[Table]:
    """A table of the files that can't be used and why, if there are any."""
    if not folder.skipped:
        return []
    rows = [[_inside(folder.folder, entry.path), entry.reason] for entry in folder.skipped]
    return [Table("Skipped files", ["File", "Reason"], _at_most(rows))]


def picture_notices(folder: PictureFolder) -> list[Notice]:
    """The notices of a scan as events; very many are cut short, and the last says so."""
    notices = [Notice(message, level="warning") for message in folder.notices[:MOST_NOTICES]]
    more = len(folder.notices) - MOST_NOTICES
    if more > 0:
        notices.append(Notice(f"There are {more} more notices about these pictures.", level="warning"))
    return notices


def _found(folder: PictureFolder, sizes: Sequence[Sequence[Size]], repeats: int) -> Table:
    pictures = folder.pictures
    sources = Counter(picture.caption_source for picture in pictures)
    without = sources.pop(NO_CAPTION, 0)
    rows = [["Pictures found", str(len(pictures))]]
    rows += [[f"Captioned from {source}", str(count)] for source, count in sorted(sources.items())]
    rows += [["Without a caption", str(without)], ["Skipped files", str(len(folder.skipped))]]
    for times, count in sorted(Counter(picture.repeats * repeats for picture in pictures).items()):
        if times > 1:
            rows.append([f"Repeated {times} times", str(count)])
    shown = sum(picture.repeats * max(1, len(each)) for picture, each in zip(pictures, sizes, strict=True)) * repeats
    rows.append(["Pictures in one epoch", str(shown)])
    return Table(f"Pictures in {folder.folder}", ["", "Count"], rows)


def _sizes(pictures: Sequence[Picture], sizes: Sequence[Sequence[Size]], repeats: int) -> Table:
    found: Counter[Size] = Counter()
    shown: Counter[Size] = Counter()
    enlarged: Counter[Size] = Counter()
    for picture, size in ((picture, size) for picture, each in zip(pictures, sizes, strict=True) for size in each):
        found[size] += 1
        shown[size] += picture.repeats * repeats
        enlarged[size] += picture.width < size[0] or picture.height < size[1]
    rows = [
        [f"{size[0]} x {size[1]}", str(found[size]), str(shown[size]), str(enlarged[size])] for size in sorted(found)
    ]
    return Table("Buckets", ["Size", "Pictures", "In one epoch", "Enlarged"], rows)


def _inside(folder: Path, path: Path) -> str:
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)


def _at_most(rows: list[list[str]]) -> list[list[str]]:
    more = len(rows) - MOST_ROWS
    return [*rows[:MOST_ROWS], [f"and {more} more", ""]] if more > 0 else rows
