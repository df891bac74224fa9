"""A folder, or a single picture, as a source."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from lib_trainer.core.errors import DataError
from lib_trainer.images.importing.entries import Entry, Left, Source, is_hidden, opened


def folder_source(folder: Path) -> Source:
    """All files in a folder and in those inside it; links are followed, but not in a circle.

    Raises:
        DataError: the folder can't be opened.
    """
    source = Source(folder)
    visited: set[str] = set()

    def unreadable(error: OSError) -> None:
        if Path(error.filename) == folder:
            raise DataError(f"The folder {folder} can't be opened: {error.strerror}.") from error
        source.left.append(Left(_inside(folder, error.filename), f"the folder can't be opened: {error.strerror}"))

    for place, folders, names in os.walk(folder, onerror=unreadable, followlinks=True):
        if os.path.realpath(place) in visited:
            folders.clear()
            continue
        visited.add(os.path.realpath(place))
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        source.entries += [_entry(folder, Path(place, name)) for name in sorted(names) if not is_hidden(name)]
    return source


def file_source(file: Path) -> Source:
    """A single picture and what lies beside it under its name."""
    beside = [path for path in _listed(file.parent) if path.stem == file.stem and path.suffix in (".txt", ".caption")]
    return Source(file, [_entry(file.parent, path) for path in (file, *beside)])


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_file())
    except OSError:
        return []  # a folder that may not be listed has no captions for us


def _entry(folder: Path, path: Path) -> Entry:
    return Entry(_inside(folder, path), partial(opened, path), real=path)


def _inside(folder: Path, path: str | Path) -> str:
    return Path(path).relative_to(folder).as_posix()
