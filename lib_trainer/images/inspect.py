"""The step `inspect`: what a folder of pictures holds, picture by picture, and what would become of each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lib_trainer.core.errors import OutputError, StopRequested
from lib_trainer.core.places import cache_folder
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.core.whole_files import write_text
from lib_trainer.images.concerns import concerns, same_content
from lib_trainer.images.copies import Plan, Sizing
from lib_trainer.images.crops.planning import Plans, drawn_boxes, plan_pictures
from lib_trainer.images.known_sizes import KnownSizes
from lib_trainer.images.looking import look_through
from lib_trainer.images.options import InspectOptions
from lib_trainer.images.pictures import Picture, PictureFolder, Skipped
from lib_trainer.images.pixels import colour
from lib_trainer.images.report import describe_pictures, picture_notices
from lib_trainer.images.thumbs import make_thumb, thumb_name

LISTING = "listing.json"


def inspect(options: InspectOptions, run: RunDirectory) -> dict[str, Any]:
    """Write `listing.json` and the thumbs into the run's folder; returns `{"folder", "count", "skipped", "listing"}`.

    The listing is `{"folder", "pictures"}`; each picture a table of what is known of it, those that can't be used
    included, in the order of their paths. Nothing is written when the run is asked to stop.

    Raises:
        ConfigError: two options contradict each other.
        DataError: there is no such folder, or no readable picture in it.
        OutputError: the run's folder or the cache can't be written.
    """
    sizing = Sizing.of(options)
    colour(options.background)
    known = KnownSizes(cache_folder(), options.folder)

    def look(path: Path) -> tuple[int, int]:
        return known.learn(path, lambda picture: make_thumb(picture, run.path, options.background))

    boxes = drawn_boxes(options)
    try:
        found = look_through(options, run, look)
        known.save()
        plans = plan_pictures(found, sizing, boxes, run)
    except StopRequested:
        return {}
    found.notices.extend(plans.notices)
    buckets = [options.buckets] if options.resize == "buckets" else []
    for event in (*describe_pictures(found, buckets, options.repeats), *picture_notices(found)):
        run.append(event)
    _write(run.path / LISTING, {"folder": str(options.folder), "pictures": _listed(found, plans, options.repeats)})
    return {
        "folder": str(options.folder),
        "count": len(found.pictures),
        "skipped": len(found.skipped),
        "listing": LISTING,
    }


def _listed(found: PictureFolder, plans: Plans, repeats: int) -> list[dict[str, Any]]:
    same = same_content([picture.path for picture in found.pictures])
    entries: list[Picture | Skipped] = sorted([*found.pictures, *found.skipped], key=lambda entry: entry.path.parts)
    listed = []
    for number, entry in enumerate(entries):
        told = {"n": number, "file": _inside(found.folder, entry.path), "bytes": _bytes(entry.path)}
        if isinstance(entry, Skipped):
            listed.append({**told, **_skipped(entry)})
            continue
        drawn = {"drawn": True} if entry.path in plans.drawn else {}
        listed.append({**told, **_picture(entry, plans.of[entry.path], repeats), **drawn})
        if entry.path in same:
            listed[-1]["warnings"].append(f"the same file as {_inside(found.folder, same[entry.path])}")
    return listed


def _picture(picture: Picture, plans: Sequence[Plan], repeats: int) -> dict[str, Any]:
    """Sizes in pixels of the upright picture; `crop` is left, top, right, bottom.

    Where it is cut into several, these are the first piece's, and `pieces` has them all.
    """
    told = [
        {"how": plan.how, "target": list(plan.size), "crop": list(plan.part(picture.width, picture.height))}
        for plan in plans
    ]
    return {
        "width": picture.width,
        "height": picture.height,
        "caption": picture.caption,
        "caption_source": picture.caption_source,
        "repeats": picture.repeats * repeats,
        "problem": "",
        "warnings": concerns(picture, plans),
        **told[0],
        **({"pieces": told} if len(told) > 1 else {}),
        "thumb": thumb_name(picture.path),
    }


def _skipped(entry: Skipped) -> dict[str, Any]:
    """The same table for a file that can't be used."""
    nothing = {"width": 0, "height": 0, "caption": "", "caption_source": "none", "repeats": 0, "warnings": []}
    return {
        **nothing, "problem": f"It is left out: {entry.reason}.", "how": "", "target": [0, 0], "crop": [0, 0, 0, 0],
        "thumb": "",
    }  # fmt: skip


def _inside(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)


def _bytes(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0  # gone meanwhile


def _write(path: Path, listing: dict[str, Any]) -> None:
    try:
        write_text(path, json.dumps(listing))
    except OSError as error:
        raise OutputError(f"{path} can't be written ({error}); make room there.") from error
