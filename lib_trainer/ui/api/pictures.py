"""The gallery: pages of what an `inspect` run found, thumbnails, and captions that are changed in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.ui.access import is_inside
from lib_trainer.ui.caption_edits import undo, write_caption
from lib_trainer.ui.picture_files import picture_reply
from lib_trainer.ui.web import Refused, Reply, Request, as_json

if TYPE_CHECKING:
    from lib_trainer.ui.server import Server

PAGE = 60
MOST = 1_000


def pictures(server: Server, request: Request) -> Reply:
    """One page of the pictures that fit the filter, and how many fit in all."""
    found = server.listings.of(_run(server, request)).found(request.query.get("filter", ""))
    first, count = request.number("from", 0), min(request.number("count", PAGE), MOST)
    return as_json({"total": len(found), "pictures": found[first : first + count]})


def thumb(server: Server, request: Request) -> Reply:
    """A small copy of one picture."""
    run = _run(server, request)
    picture = server.listings.of(run).picture(request.number("n", 0))
    name = picture.get("thumb")
    path = run.path / str(name)
    if not name or not is_inside(path, [run.path]):
        raise Refused(f"There is no small copy of {picture['file']}.", 404)
    return picture_reply(path)


def caption(server: Server, request: Request) -> Reply:
    """Write a caption beside its picture."""
    run, n, text = _run(server, request), request.told("n", int), request.told("text", str)
    return as_json(write_caption(server.boundaries, server.listings, run, n, text))


def undo_caption(server: Server, request: Request) -> Reply:
    """Take back the last change of a picture's caption."""
    run, n = _run(server, request), request.told("n", int)
    return as_json(undo(server.boundaries, server.listings, run, n))


def _run(server: Server, request: Request) -> RunDirectory:
    return server.project(request.parts["project"]).run(request.parts["run"])
