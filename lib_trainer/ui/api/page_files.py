"""The files of the page's script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lib_trainer.core.places import EXTENSION_ROOT
from lib_trainer.ui.access import plain_name
from lib_trainer.ui.web import Refused, Reply, Request

if TYPE_CHECKING:
    from lib_trainer.ui.server import Server

FOLDER = EXTENSION_ROOT / "javascript" / "page"
MEDIA_TYPES = {".mjs": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


def page_file(server: Server, request: Request) -> Reply:
    """One file of the page; the browser asks each time whether it is still the same."""
    del server
    file = FOLDER / plain_name(request.parts["name"], "The file name")
    if file.suffix not in MEDIA_TYPES or not file.is_file():
        raise Refused(f"The page has no file {file.name}.", 404)
    return Reply(media_type=MEDIA_TYPES[file.suffix], file=file, headers={"Cache-Control": "no-cache"})
