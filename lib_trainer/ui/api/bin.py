"""The bin of a folder of pictures: what lies in it, moving pictures there, and bringing them back."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_trainer.core.errors import OutputError
from lib_trainer.images.bin import Moved, binned, masks_folder, move_to_bin, restore
from lib_trainer.images.bin_journal import Entry, bin_folder
from lib_trainer.ui.access import can_be_stored
from lib_trainer.ui.listings import BINNED
from lib_trainer.ui.web import Refused, Reply, Request, as_json

if TYPE_CHECKING:
    from lib_trainer.ui.server import Server

LONGEST_REASON = 200


def binned_pictures(server: Server, request: Request) -> Reply:
    """What lies in the bin of a folder, the newest first."""
    server.project(request.parts["project"])
    folder = _folder(server, request.query.get("folder", ""))
    entries = [_plain(entry) for entry in reversed(binned(folder))]
    return as_json({"bin": str(bin_folder(folder)), "entries": entries})


def move(server: Server, request: Request) -> Reply:
    """Move `files` of a folder into its bin; a `look` that listed them leaves them out from then on."""
    folder = _folder(server, request.told("folder", str))
    files = _texts(request, "files")
    if not all(map(can_be_stored, files)):
        raise Refused("One of the 'files' can't be a path; give them as the list of pictures has them.")
    masks = request.told("masks", str, "")
    masks_in = server.boundaries.chosen(masks) if masks else masks_folder(folder)
    for place in {masks_in, *((folder / file).parent for file in files)}:
        server.boundaries.check(place)
    moved = move_to_bin(folder, files, request.told("reason", str, "")[:LONGEST_REASON], masks_in)
    _mark(server, request, folder, {entry.file: entry.id for entry in moved.entries})
    return _reply(moved, folder)


def bring_back(server: Server, request: Request) -> Reply:
    """Bring `entries` (their ids) back from the bin to where they were."""
    folder = _folder(server, request.told("folder", str))
    ids = _texts(request, "entries")
    for entry in binned(folder):
        if entry.id in ids:
            for place in {piece.origin.parent for piece in entry.pieces}:
                server.boundaries.check(place)
    moved = restore(folder, ids)
    _mark(server, request, folder, {entry.file: "" for entry in moved.entries})
    return _reply(moved, folder)


def _folder(server: Server, text: str) -> Path:
    folder = server.boundaries.chosen(text)
    server.boundaries.check(bin_folder(folder))
    return folder


def _texts(request: Request, name: str) -> list[str]:
    texts = request.told(name, list)
    if not all(isinstance(text, str) for text in texts):
        raise Refused(f"'{name}' must be a list of texts.")
    return list(texts)


def _mark(server: Server, request: Request, folder: Path, marks: dict[str, str]) -> None:
    """Note in the listing of a look which pictures lie in the bin now; an empty mark takes it back."""
    run_id = request.told("look", str, "")
    run = server.project(request.parts["project"]).run(run_id) if run_id and marks else None
    if run is None:
        return
    with server.listings.lock:
        listing = server.listings.of(run)
        if listing.folder != folder:
            return
        changed = {
            n: {**picture, BINNED: marks[picture["file"]]}
            for n, picture in enumerate(listing.pictures)
            if picture["file"] in marks
        }
        try:
            server.listings.change(run, changed)
        except OSError as error:
            raise OutputError(f"The listing in {run.path} can't be written ({error}); look again.") from error


def _reply(moved: Moved, folder: Path) -> Reply:
    failures = [{"file": failure.file, "reason": failure.reason} for failure in moved.failures]
    return as_json({"moved": _all(moved.entries), "failures": failures, "bin": str(bin_folder(folder))})


def _all(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    return [_plain(entry) for entry in entries]


def _plain(entry: Entry) -> dict[str, Any]:
    files = len(entry.pieces)
    return {"id": entry.id, "file": entry.file, "reason": entry.reason, "time": entry.time, "files": files}
