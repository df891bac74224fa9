"""Crops on the page: the picture to draw on, the shapes that a box may have, the box, and taking copies back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.images.bin import masks_folder, move_to_bin
from lib_trainer.images.bin_journal import bin_folder
from lib_trainer.ui.crop_boxes import draw_box, listed_file
from lib_trainer.ui.crop_boxes import shapes as shapes_of
from lib_trainer.ui.picture_files import picture_reply
from lib_trainer.ui.web import Refused, Reply, Request, as_json

if TYPE_CHECKING:
    from lib_trainer.ui.server import Server

COPIES_FILE = "copies.json"  # as images/prepare.py writes it
REASON = "prepared copies taken back"


def original(server: Server, request: Request) -> Reply:
    """A picture as it lies in its folder."""
    listing = server.listings.of(_run(server, request))
    return picture_reply(listed_file(server.boundaries, listing, request.number("n", 0)))


def shapes(server: Server, request: Request) -> Reply:
    """The sizes in pixels that a crop may get, the squarest first."""
    return as_json({"shapes": shapes_of(_run(server, request))})


def box(server: Server, request: Request) -> Reply:
    """Keep a drawn box: `box` is left, top, right, bottom; an empty list forgets it. Answers the picture."""
    run, n, edges = _run(server, request), request.told("n", int), request.told("box", list)
    return as_json(draw_box(server.boundaries, server.listings, run, n, edges or None))


def take_back(server: Server, request: Request) -> Reply:
    """Move the copies that a run of `prepare` made into the bin beside them."""
    run = _run(server, request)
    try:
        told = json.loads((run.path / COPIES_FILE).read_text(encoding="utf-8"))
        folder, files = Path(told["folder"]), [str(name) for name in told["files"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Refused(f"This run has made no copies that could be taken back ({error}).", 409) from error
    there = [name for name in files if (folder / name).is_file()]
    if not there:
        raise Refused(f"None of the {len(files)} copies of this run is in {folder} any more.", 409)
    for place in {bin_folder(folder), masks_folder(folder), *((folder / name).parent for name in there)}:
        server.boundaries.check(place)
    moved = move_to_bin(folder, there, REASON)
    failures = [{"file": failure.file, "reason": failure.reason} for failure in moved.failures]
    return as_json({"moved": len(moved.entries), "failures": failures, "bin": str(bin_folder(folder))})


def _run(server: Server, request: Request) -> RunDirectory:
    return server.project(request.parts["project"]).run(request.parts["run"])
