"""The gallery: pages of what an `inspect` run found, thumbnails, and captions that are changed in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.ui.access import is_inside
from lib_trainer.ui.caption_edits import undo_caption as take_back
from lib_trainer.ui.caption_edits import write_caption
from lib_trainer.ui.picture_files import picture_reply
from lib_trainer.ui.web import Refused, Reply, Request, as_json

if TYPE_CHECKING:
    from lib_trainer.ui.server import Server

PAGE = 60
MOST = 1_000


def pictures(server: Server, request: Request) -> Reply:
    """One page of the pictures that fit the filter, and how many fit in all; or those of some `numbers`.

    With `order`, the numbers of all that fit besides.
    """
    listing = server.listings.of(_run(server, request))
    if "numbers" in request.query:
        return as_json({"pictures": [listing.picture(n) for n in _numbers(request.query["numbers"])]})
    found = listing.found(request.query.get("filter", ""))
    first, count = request.number("from", 0), min(request.number("count", PAGE), MOST)
    order = {"numbers": [picture["n"] for picture in found]} if "order" in request.query else {}
    return as_json({"total": len(found), "pictures": found[first : first + count], **order})


def names(server: Server, request: Request) -> Reply:
    """The files of all pictures, by their numbers."""
    listing = server.listings.of(_run(server, request))
    return as_json({"files": [picture["file"] for picture in listing.pictures]})


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
    with server.captions.lock:
        write_caption(server.captions, run, n, text, request.told("revision", int, None))
        return as_json(server.listings.of(run).picture(n))


def undo_caption(server: Server, request: Request) -> Reply:
    """Take back the last change of a picture's caption."""
    run, n = _run(server, request), request.told("n", int)
    with server.captions.lock:
        take_back(server.captions, run, n)
        return as_json(server.listings.of(run).picture(n))


def _numbers(text: str) -> list[int]:
    given = text.split(",")
    if len(given) > MOST or not all(each.isascii() and each.isdecimal() for each in given):
        raise Refused(f"'numbers' is {text[:40]!r} in the address; it must be up to {MOST} whole numbers and commas.")
    return [int(each) for each in given]


def _run(server: Server, request: Request) -> RunDirectory:
    return server.project(request.parts["project"]).run(request.parts["run"])
