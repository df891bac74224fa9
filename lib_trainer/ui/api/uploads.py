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
from lib_trainer.ui.uploads import ARCHIVES, PICTURES, TEXTS, is_archive, most_bytes
from lib_trainer.ui.web import Refused, Reply, Request, as_json

if TYPE_CHECKING:
    from lib_trainer.ui.server import Server



def upload(server: Server, request: Request) -> Reply:
    """Put a file into a folder of the project's pictures; the same file again is not put there twice.

    An archive or table goes into the project's archives, from where the step `import` takes it.
    """
    project = server.project(request.parts["project"])
    name = plain_name(request.query.get("name", ""), "The file name")
    wished = plain_name(request.query.get("folder", ""), "The folder's name")
    folder = project.archives_folder if is_archive(name) else project.pictures_folder / wished
    ending = Path(name).suffix.lower()
    if ending not in PICTURES + TEXTS + ARCHIVES:
        raise Refused(f"{name} can't be taken; these can: {', '.join(PICTURES + TEXTS + ARCHIVES)}.", 415)
    if request.upload is None:
        raise Refused(f"{name} did not arrive; send the file as application/octet-stream.")
    size, most = request.upload.stat().st_size, most_bytes(name)
    if size > most:
        raise Refused(f"{name} has {file_size(size)}; at most {file_size(most)} can be taken.", 413)
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
