"""What becomes of each picture of a folder: its middle, its focus, a drawn box, or several pieces of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from lib_trainer.core.errors import StopRequested
from lib_trainer.core.places import cache_folder
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.images.buckets import cover, part_of
from lib_trainer.images.copies import Options, Plan, Sizing
from lib_trainer.images.crops.drawn import DrawnBox, read_boxes
from lib_trainer.images.crops.focus import Focus, place
from lib_trainer.images.crops.known_focus import KnownFocus
from lib_trainer.images.crops.splitting import Edges, pieces
from lib_trainer.images.looking import picture_progress
from lib_trainer.images.options import PictureOptions
from lib_trainer.images.pictures import Picture, PictureFolder
from lib_trainer.images.pixels import PictureError
from lib_trainer.images.threads import in_threads

NAMED_AT_MOST = 10


@dataclass(frozen=True)
class Plans:
    """What becomes of each picture, by its path: one plan, or one for each piece; `notices` are for the user."""

    of: dict[Path, list[Plan]]
    notices: list[str] = field(default_factory=list)
    drawn: frozenset[Path] = frozenset()  # those with a box of their own


def drawn_boxes(options: PictureOptions) -> dict[str, DrawnBox]:
    """The boxes that are heeded.

    Raises:
        DataError: the file of boxes can't be used.
    """
    return read_boxes(options.folder) if options.boxes else {}


def plan_pictures(
    found: PictureFolder, sizing: Sizing[Options], boxes: dict[str, DrawnBox], run: RunDirectory
) -> Plans:
    """Plan every picture; those that are cut at their focus are looked at for that, unless it is known.

    Raises:
        StopRequested: the run was asked to stop.
        OutputError: the cache can't be written.
    """
    options, outdated, used = sizing.options, [], set()
    areas: dict[Path, list[Edges]] = {}
    for picture in found.pictures:
        name, size = picture.path.relative_to(found.folder).as_posix(), (picture.width, picture.height)
        drawn = boxes.get(name)
        if drawn is not None and drawn.size == size:
            areas[picture.path] = [drawn.box]
            used.add(picture.path)
            continue
        if drawn is not None:
            outdated.append(name)
        areas[picture.path] = pieces(*size, options.split)
    plans = {
        picture.path: [_within(area, sizing, picture) for area in areas[picture.path]] for picture in found.pictures
    }
    if options.crop == "focal":
        cut = [
            picture
            for picture in found.pictures
            if any(_overhangs(plan, area) for plan, area in zip(plans[picture.path], areas[picture.path], strict=True))
        ]
        for picture, focus in _focuses(found, cut, options, run):
            both = zip(plans[picture.path], areas[picture.path], strict=True)
            plans[picture.path] = [_at_focus(plan, area, picture, focus) for plan, area in both]
    return Plans(plans, _notices(outdated), frozenset(used))


def _within(area: Edges, sizing: Sizing[Options], picture: Picture) -> Plan:
    """What becomes of one area of a picture, cut at its middle."""
    left, top, right, bottom = area
    plan = sizing.plan(right - left, bottom - top)
    if area == (0, 0, picture.width, picture.height):
        return plan
    part = plan.part(right - left, bottom - top)
    return replace(plan, box=(left + part[0], top + part[1], left + part[2], top + part[3]))


def _overhangs(plan: Plan, area: Edges) -> bool:
    """Whether a crop of this area has another place to go than its middle."""
    if plan.how != "crop":
        return False
    scaled, _ = cover(area[2] - area[0], area[3] - area[1], plan.size)
    return scaled != plan.size


def _at_focus(plan: Plan, area: Edges, picture: Picture, focus: Focus) -> Plan:
    """The same plan with its crop where it holds most of what matters in the area."""
    if not _overhangs(plan, area):
        return plan
    left, top, right, bottom = area
    wide, high = plan.size
    scaled, _ = cover(right - left, bottom - top, plan.size)
    across, down = scaled[0] / (right - left), scaled[1] / (bottom - top)
    start_x = place(focus.columns, picture.width * across, (left * across, right * across), wide) - left * across
    start_y = place(focus.rows, picture.height * down, (top * down, bottom * down), high) - top * down
    x = min(max(0, round(start_x)), scaled[0] - wide)
    y = min(max(0, round(start_y)), scaled[1] - high)
    part = part_of((right - left, bottom - top), scaled, (x, y, x + wide, y + high))
    return replace(plan, box=(left + part[0], top + part[1], left + part[2], top + part[3]))


def _focuses(
    found: PictureFolder, wanted: Sequence[Picture], options: PictureOptions, run: RunDirectory
) -> list[tuple[Picture, Focus]]:
    """The focus of each of these; a picture that can't be opened any more has none, and whoever copies it says so."""
    known = KnownFocus(cache_folder(), options.folder, options.background)
    tell = picture_progress(run, "Looking for what matters")

    def focus_of(picture: Picture) -> tuple[Picture, Focus] | None:
        try:
            return picture, known.of(picture.path)
        except PictureError:
            return None

    told = []
    with closing(in_threads(focus_of, wanted)) as results:
        for done, result in enumerate(results, start=1):
            if run.stop_requested():
                raise StopRequested
            if result is not None:
                told.append(result)
            tell(done, len(wanted))
    known.save([picture.path for picture in found.pictures])
    return told


def _notices(outdated: Sequence[str]) -> list[str]:
    if not outdated:
        return []
    more = f" and {len(outdated) - NAMED_AT_MOST} more" if len(outdated) > NAMED_AT_MOST else ""
    named = ", ".join(outdated[:NAMED_AT_MOST]) + more
    return [f"The crop boxes of {named} were drawn on pictures of another size and are not used; draw them again."]
