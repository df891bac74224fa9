"""The step `duplicates`: pictures that are there more than once, in groups, with the best of each proposed."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from lib_trainer.core.errors import OutputError, StopRequested
from lib_trainer.core.events import Notice, Table
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.core.whole_files import write_text
from lib_trainer.images.bin import move_to_bin
from lib_trainer.images.buckets import Size
from lib_trainer.images.concerns import same_content
from lib_trainer.images.duplicates.best import Member
from lib_trainer.images.duplicates.candidates import find_candidates
from lib_trainer.images.duplicates.fingerprints import BACKGROUND, Look, Looks, small_look
from lib_trainer.images.duplicates.groups import Group, Judged, copies_of, judged, mirrored_of
from lib_trainer.images.duplicates.linking import Link, find_links
from lib_trainer.images.duplicates.options import DuplicateOptions
from lib_trainer.images.duplicates.quality import quality_of
from lib_trainer.images.looking import look_through, picture_progress
from lib_trainer.images.pictures import Picture, PictureFolder
from lib_trainer.images.pixels import PictureError
from lib_trainer.images.report import picture_notices, skipped_files
from lib_trainer.images.threads import in_threads
from lib_trainer.images.thumbs import make_thumb, thumb_name

REPORT = "duplicates.json"
CONTENDERS = 4  # of each group: so many of the largest are looked at closely
SHOWN = 24  # of each group: so many get a small copy to be shown
MOST_ROWS = 200
NAMED = 3
KINDS = {"same": "the same file", "near": "copies", "mirrored": "mirrored"}


def find_duplicates(options: DuplicateOptions, run: RunDirectory) -> dict[str, Any]:
    """Write `duplicates.json`; returns `{"folder", "pictures", "groups", "copies", "mirrored", "binned", "report"}`.

    The report is `{"folder", "groups"}`; each group tells its kind ("same", "near", "mirrored"), which picture to keep
    and why, and what is known of each picture, the one to keep first. `copies` counts the pictures that are one too
    many. Nothing is written or moved when the run is asked to stop before the search is done.

    Raises:
        DataError: there is no such folder, or no readable picture in it.
        OutputError: the run's folder or the bin can't be written.
    """
    looks: dict[Path, Look] = {}

    def look(path: Path) -> Size:
        looks[path], size = small_look(path)
        return size

    try:
        found = look_through(options, run, look)
        for event in (*skipped_files(found), *picture_notices(found)):
            run.append(event)
        groups = _groups(found, looks, options, run)
    except StopRequested:
        return {}
    _write(run.path / REPORT, {"folder": str(options.folder), "groups": [group.as_data() for group in groups]})
    run.append(_table(groups))
    copies = [group for group in groups if group.kind != "mirrored"]
    return {
        "folder": str(options.folder),
        "pictures": len(found.pictures),
        "groups": len(copies),
        "copies": sum(len(group.members) - 1 for group in copies),
        "mirrored": len(groups) - len(copies),
        "binned": _move_copies(copies, options, run),
        "report": REPORT,
    }


def _groups(
    found: PictureFolder, looks: dict[Path, Look], options: DuplicateOptions, run: RunDirectory
) -> list[Judged]:
    paths = [picture.path for picture in found.pictures]
    same = same_content(paths)
    once = [path for path in paths if path not in same]
    links = _links(Looks.of([looks[path] for path in once]), options, run)
    copies = copies_of(once, links, same)
    pictures = {picture.path: picture for picture in found.pictures}
    members, thumbs = _members(copies, pictures, found.folder, run)
    judged_copies = [judged(group, members, thumbs) for group in copies]
    best = _best_of_each(copies, judged_copies, found.folder)
    turned = mirrored_of(once, links, best)
    more, more_thumbs = _members(turned, pictures, found.folder, run)
    return judged_copies + [judged(group, more, more_thumbs) for group in turned]


def _links(looks: Looks, options: DuplicateOptions, run: RunDirectory) -> list[Link]:
    candidates = find_candidates(looks.squares, options.mirrored, _told(run, "Comparing pictures"))
    return find_links(looks, candidates, options.similarity, _told(run, "Looking closely at likely copies"))


def _told(run: RunDirectory, stage: str) -> Callable[[int, int], None]:
    """Tells how far a search is, and ends it when the run is asked to stop."""
    tell = picture_progress(run, stage)

    def on_progress(done: int, total: int) -> None:
        if run.stop_requested():
            raise StopRequested
        tell(done, total)

    return on_progress


def _best_of_each(copies: Sequence[Group], judged_ones: Sequence[Judged], folder: Path) -> dict[Path, Path]:
    """For each picture of a group the one to keep."""
    return {
        path: folder / told.members[0].file
        for group, told in zip(copies, judged_ones, strict=True)
        for path in group.pictures
    }


def _members(
    groups: Sequence[Group], pictures: dict[Path, Picture], folder: Path, run: RunDirectory
) -> tuple[dict[Path, Member], dict[Path, str]]:
    """What is known of the pictures of groups, and the thumbs of them."""
    close, shown = set(), set()
    for group in groups:
        by_size = sorted(group.pictures, key=lambda path: -pictures[path].width * pictures[path].height)
        close.update(by_size[:CONTENDERS])
        shown.update(by_size[:SHOWN])
    work = partial(_member, folder=folder, run=run.path, close=close, shown=shown)
    tell = _told(run, "Looking for the best of each group")
    members, thumbs = {}, {}
    wanted = [pictures[path] for path in dict.fromkeys(path for group in groups for path in group.pictures)]
    with closing(in_threads(work, wanted)) as results:
        for done, (picture, (member, thumb)) in enumerate(zip(wanted, results, strict=True), start=1):
            members[picture.path], thumbs[picture.path] = member, thumb
            tell(done, len(wanted))
    return members, thumbs


def _member(picture: Picture, folder: Path, run: Path, close: set[Path], shown: set[Path]) -> tuple[Member, str]:
    path = picture.path
    thumb, size, changed = "", 0, 0.0
    try:
        stat = path.stat()
        size, changed = stat.st_size, stat.st_mtime
        if path in shown:
            make_thumb(path, run, BACKGROUND)
            thumb = thumb_name(path)
    except (PictureError, FileNotFoundError):
        thumb = ""  # it has gone meanwhile
    quality = quality_of(path) if path in close else None
    file = path.relative_to(folder).as_posix()
    return Member(file, (picture.width, picture.height), size, changed, picture.caption, quality), thumb


def _move_copies(copies: Sequence[Judged], options: DuplicateOptions, run: RunDirectory) -> int:
    """Move what the options say into the bin; how many pictures that were."""
    moved = 0
    for group in copies if options.bin != "nothing" else ():
        keep = group.members[0].file
        files = [member.file for member in group.members[1:]]
        if options.bin == "same files":
            files = _same_only(options.folder, [keep, *files])
        told = move_to_bin(options.folder, files, f"a copy of {keep}") if files else None
        for failure in told.failures if told else ():
            run.append(Notice(f"{failure.file} stays where it is: {failure.reason}.", level="warning"))
        moved += len(told.entries) if told else 0
    return moved


def _same_only(folder: Path, files: Sequence[str]) -> list[str]:
    """Those that equal an earlier one to the byte."""
    same = same_content([folder / file for file in files])
    return [file for file in files if folder / file in same]


def _table(groups: Sequence[Judged]) -> Table:
    rows = []
    for group in groups[:MOST_ROWS]:
        others = [member.file for member in group.members[1:]]
        more = f" and {len(others) - NAMED} more" if len(others) > NAMED else ""
        rows.append([KINDS[group.kind], group.members[0].file, group.why, ", ".join(others[:NAMED]) + more])
    if len(groups) > MOST_ROWS:
        rows.append([f"and {len(groups) - MOST_ROWS} more", "", "", ""])
    return Table("Pictures that are there more than once", ["What", "Keep", "Why", "Others"], rows)


def _write(path: Path, report: dict[str, Any]) -> None:
    try:
        write_text(path, json.dumps(report))
    except OSError as error:
        raise OutputError(f"{path} can't be written ({error}); make room there.") from error
