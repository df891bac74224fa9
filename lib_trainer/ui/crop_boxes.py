"""Crop boxes drawn on the page: kept beside the pictures, and shown in the gallery as they were drawn."""

from __future__ import annotations

import math
from pathlib import Path, PurePosixPath
from typing import Any

from lib_trainer.core.configs import load
from lib_trainer.core.errors import OutputError
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.images.buckets import Size, bucket_sizes, nearest_bucket, part_shown
from lib_trainer.images.crops.drawn import DrawnBox, Edges, read_boxes, write_boxes
from lib_trainer.images.options import InspectOptions
from lib_trainer.ui.boundaries import Boundaries
from lib_trainer.ui.listings import Listing, Listings, Picture
from lib_trainer.ui.web import Refused

DRAWN = "drawn"  # of a picture in a listing: whether its crop is a drawn box
BEFORE = "before_box"  # what the look had found for it
FOUND = ("how", "target", "crop", "pieces")


def shapes(run: RunDirectory) -> list[Size]:
    """The sizes that a crop may get by the options of that look, the squarest first.

    Raises:
        ConfigError: the options can't be used.
    """
    options = _options(run)
    if options.resize == "exact":
        return [(options.width, options.height)]
    if options.resize == "shortest":
        return [(options.buckets.resolution, options.buckets.resolution)]
    return sorted(bucket_sizes(options.buckets), key=lambda size: (abs(math.log(size[0] / size[1])), size))


def listed_file(boundaries: Boundaries, listing: Listing, n: int) -> Path:
    """The file of picture `n`, if it is still there and may be reached.

    Raises:
        Refused: it is gone (404), or lies where the page may not reach (403).
    """
    name = PurePosixPath(listing.picture(n)["file"])
    file = listing.folder / name
    if name.is_absolute() or ".." in name.parts:
        raise Refused(f"{file} may not be reached from here.", 403)
    boundaries.check(file)
    if not file.is_file():
        raise Refused(f"{file} is not there any more; look through the folder again.", 404)
    return file


def draw_box(
    boundaries: Boundaries, listings: Listings, run: RunDirectory, n: int, box: list[Any] | None
) -> Picture:
    """Keep the box of picture `n`, or with None forget it.

    Returns:
        The picture as it is cropped now; without its box as the look found it, where that look knew nothing of a box.

    Raises:
        Refused: there is no such picture (any more), or the box does not lie in it.
        DataError, OutputError: the file of boxes can't be read or written.
    """
    with listings.lock:
        listing = listings.of(run)
        listed_file(boundaries, listing, n)
        boundaries.check(listing.folder)
        picture = listing.picture(n)
        size = picture.get("width", 0), picture.get("height", 0)
        boxes = read_boxes(listing.folder)
        if box is None:
            boxes.pop(picture["file"], None)
            changed = _without_box(picture)
        else:
            drawn = _drawn(size, box)
            boxes[picture["file"]] = drawn
            changed = _with_box(picture, drawn.box, run)
        write_boxes(listing.folder, boxes)
        try:
            listings.change(run, {n: changed})
        except OSError as error:
            raise OutputError(f"The listing in {run.path} can't be written ({error}); make room.") from error
        return changed


def _drawn(size: Size, box: list[Any]) -> DrawnBox:
    try:
        left, top, right, bottom = (int(edge) for edge in box if type(edge) is int)
        return DrawnBox(size, (left, top, right, bottom))
    except ValueError as error:
        raise Refused(
            f"'box' must be the left, top, right and bottom of a part of the picture, in whole pixels ({error})."
        ) from error


def _with_box(picture: Picture, box: Edges, run: RunDirectory) -> Picture:
    """The picture as it is cropped with a box: cut to the nearest of the sizes, or kept whole where nothing is cut."""
    left, top, right, bottom = box
    wide, high = right - left, bottom - top
    target = nearest_bucket(wide, high, shapes(run))
    crop: tuple[float, ...] = box
    if _options(run).crop in ("centre", "focal"):
        part = part_shown(wide, high, target)
        crop = (left + part[0], top + part[1], left + part[2], top + part[3])
    before = picture.get(BEFORE) or ({} if picture.get(DRAWN) else {name: picture.get(name) for name in FOUND})
    kept = {name: value for name, value in picture.items() if name != "pieces"}
    return {**kept, "target": list(target), "crop": list(crop), DRAWN: True, BEFORE: before}


def _without_box(picture: Picture) -> Picture:
    before = {name: value for name, value in (picture.get(BEFORE) or {}).items() if value is not None}
    return {**{name: value for name, value in picture.items() if name not in (DRAWN, BEFORE)}, **before}


def _options(run: RunDirectory) -> InspectOptions:
    options: InspectOptions = load(InspectOptions, run.job()[1])
    return options
