"""Looking for a folder on the computer that the host runs on, since a browser may not."""

from __future__ import annotations

import itertools
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from lib_trainer.core.natural_order import natural_key
from lib_trainer.images.suffixes import PICTURE_SUFFIXES
from lib_trainer.ui.boundaries import Boundaries
from lib_trainer.ui.host import Host
from lib_trainer.ui.web import Refused, Reply, Request, as_json

if TYPE_CHECKING:
    from lib_trainer.ui.server import Server

MOST_LOOKED_AT = 10_000  # files and folders, when pictures are counted


def browse(server: Server, request: Request) -> Reply:
    """The folders in a folder, and how many pictures it has, those in its folders included; files of some endings.

    Of a file's path the folder that it lies in is looked at.
    """
    bounds = server.boundaries
    roots = _roots(server.host)
    text = request.query.get("path", "")
    place = bounds.chosen(text) if text else _start(roots)
    folder = place.parent if place.is_file() and bounds.allows(place.parent) else place
    folders, files = _listed(bounds, folder, tuple(filter(None, request.query.get("files", "").lower().split(","))))
    above = folder.parent
    return as_json(
        {
            "path": str(folder),
            "parent": str(above) if above != folder and bounds.allows(above) else None,
            "folders": folders,
            "files": files,
            "pictures": _count_pictures(folder),
            "roots": [str(root) for root in roots],
        }
    )


def _roots(host: Host) -> list[Path]:
    """Where to begin: what the host offers, and where any folder may be chosen, the user's own and the drives."""
    if not host.any_folder:
        return host.roots()
    drives = [Path(f"{letter}:\\") for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"] if sys.platform == "win32" else []
    return [*host.roots(), Path.home(), *(drive for drive in drives if drive.exists())]


def _start(roots: list[Path]) -> Path:
    """The first of the roots that is there."""
    for root in roots:
        if root.is_dir():
            return root
    raise Refused(f"The folder {roots[0]} does not exist (any more); make it, then look again.", 404)


def _listed(bounds: Boundaries, folder: Path, endings: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """The names of the folders, and of the files with these endings, that are not hidden."""
    try:
        with os.scandir(folder) as entries:
            shown = [(entry.name, entry.is_dir()) for entry in entries if _is_shown(bounds, entry)]
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Refused(f"The folder {folder} does not exist (any more); choose another.", 404) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise Refused(f"The folder {folder} can't be opened: {reason}. Choose another.", 403) from error
    files = [name for name, is_folder in shown if not is_folder and name.lower().endswith(endings)] if endings else []
    folders = [name for name, is_folder in shown if is_folder]
    return sorted(folders, key=natural_key), sorted(files, key=natural_key)


def _is_shown(bounds: Boundaries, entry: os.DirEntry[str]) -> bool:
    """Whether it is not hidden, and not a link to where one may not look."""
    try:
        if _is_hidden(entry) or not (entry.is_dir() or entry.is_file()):
            return False
        return bounds.are_open or not entry.is_symlink() or bounds.allows(Path(entry.path))
    except OSError:
        return False  # a drive without a disk in it, or a link in a circle


def _is_hidden(entry: os.DirEntry[str]) -> bool:
    if entry.name.startswith("."):
        return True
    attributes = getattr(entry.stat(follow_symlinks=False), "st_file_attributes", 0)  # Windows only
    return bool(attributes & stat.FILE_ATTRIBUTE_HIDDEN)


def _count_pictures(folder: Path) -> int:
    names = itertools.islice(_names(folder), MOST_LOOKED_AT)
    return sum(name.lower().endswith(PICTURE_SUFFIXES) and not name.startswith(".") for name in names)


def _names(folder: Path) -> Iterator[str]:
    """The names of all files inside; hidden folders and linked ones are not entered, and count as an empty name."""
    waiting = [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    is_folder = entry.is_dir(follow_symlinks=False)
                    if is_folder and not entry.name.startswith("."):
                        waiting.append(entry.path)
                    yield "" if is_folder else entry.name
        except OSError:
            continue  # what can't be opened has no pictures for us
