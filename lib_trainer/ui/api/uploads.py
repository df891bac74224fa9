"""Pictures and captions that are dropped onto the page, one file a request."""

from __future__ import annotations

import filecmp
import itertools
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from lib_trainer.core.errors import OutputError
from lib_trainer.core.units import file_size
from lib_trainer.core.whole_files import whole_file
from lib_trainer.ui.access import plain_name
from lib_trainer.ui.web import Refused, Reply, Request, as_json

if TYPE_CHECKING:
    from lib_trainer.ui.server import Server

PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".avif", ".bmp", ".tif", ".tiff", ".gif")
TEXTS = (".txt", ".caption", ".jsonl")
MOST_BYTES = 200_000_000


def upload(server: Server, request: Request) -> Reply:
    """Put a file into a folder of the project's pictures; the same file again is not put there twice."""
    project = server.project(request.parts["project"])
    name = plain_name(request.query.get("name", ""), "The file name")
    folder = project.pictures_folder / plain_name(request.query.get("folder", ""), "The folder's name")
    ending = Path(name).suffix.lower()
    if ending not in PICTURES + TEXTS:
        raise Refused(f"{name} can't be taken; these can: {', '.join(PICTURES + TEXTS)}.", 415)
    if request.upload is None:
        raise Refused(f"{name} did not arrive; send the file as application/octet-stream.")
    size = request.upload.stat().st_size
    if size > MOST_BYTES:
        raise Refused(f"{name} has {file_size(size)}; at most {file_size(MOST_BYTES)} can be taken.", 413)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return as_json({"path": str(_put(request.upload, folder, name))})
    except OSError as error:
        raise OutputError(f"{name} can't be put into {folder} ({error}); make room, or check its rights.") from error


def _put(arrived: Path, folder: Path, name: str) -> Path:
    """Copy the file under its name or the first free one after it; where it is already, it stays."""
    for candidate in _names(name):
        path = folder / candidate
        try:
            # Taken by making it, so that two uploads at once don't take the same.
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except FileExistsError:
            if path.is_file() and filecmp.cmp(arrived, path, shallow=False):
                return path
            _check_is_of_use(folder, name)
            continue
        try:
            with arrived.open("rb") as source, whole_file(path) as target:
                shutil.copyfileobj(source, target)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        return path
    raise AssertionError("unreachable")


def _check_is_of_use(folder: Path, name: str) -> None:
    """A text under another name than its own is of use only if a picture was given that name."""
    path = folder / name
    waits = any(path.with_name(f"{path.stem}-2{ending}").exists() for ending in PICTURES)
    if path.suffix.lower() in TEXTS and not waits:
        cure = "change it in the gallery, or take a new folder"
        raise Refused(f"{name} is there already with another text; {cure}.", 409)


def _names(name: str) -> itertools.chain[str]:
    stem, ending = Path(name).stem, Path(name).suffix
    return itertools.chain([name], (f"{stem}-{number}{ending}" for number in itertools.count(2)))
