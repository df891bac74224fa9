"""Paths and names that come from the page, which means from anybody who reaches the port, and the files of a run.

A path is taken only if it is written out in full, and what counts is where it leads in the end, links followed.
`boundaries.py` says where that may be.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path, PureWindowsPath

from lib_trainer.core.file_names import DEVICE, LONGEST_NAME, NOT_IN_NAMES
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.ui.web import Refused


def full_path(text: str, windows: bool = sys.platform == "win32") -> Path:
    """The path that a text of the page names, its `..` taken out; nothing on the disk is asked.

    Raises:
        Refused: it is no path of this computer that is written out in full.
    """
    if not text or not can_be_stored(text):
        raise Refused(f"{text!r} can't be a path; give a folder or file as your file manager shows it.")
    if windows:
        return _full_windows_path(text)
    if not text.startswith("/"):
        raise Refused(f"The path {text!r} is not written out in full; begin it with /.")
    return Path(os.path.normpath("/" + text.lstrip("/")))


def _full_windows_path(text: str) -> Path:
    path = PureWindowsPath(text)
    # Only to look at a share or a device of another's choosing sends that computer the user's login.
    if path.drive.startswith("\\\\"):
        raise Refused(f"{text!r} is on another computer; give its drive a letter, or copy what you need here.")
    if not (path.drive and path.root):
        raise Refused(f"The path {text!r} is not written out in full; begin it with the drive, such as C:\\.")
    for part in path.parts[1:]:
        if ":" in part or DEVICE.fullmatch(part.rstrip(" .")):
            raise Refused(f"{part!r} in the path {text!r} can't be a folder's or a file's name.")
    return Path(os.path.normpath(str(path)))


def can_be_stored(text: str) -> bool:
    """Whether the disk can take this text as a name."""
    if "\0" in text:
        return False
    try:
        os.fsencode(text)
    except UnicodeEncodeError:  # half of a character
        return False
    return True


def plain_name(text: str, what: str) -> str:
    """The text, if it can be the name of a file or folder on every system.

    Raises:
        Refused: it can't; the message calls it `what`.
    """
    odd = NOT_IN_NAMES.search(text) or DEVICE.fullmatch(text) or text != text.strip() or text[:1] in ("", ".")
    if odd or text.endswith(".") or not can_be_stored(text) or len(os.fsencode(text)) > LONGEST_NAME:
        said = "it must be a plain name without / \\ : * ? \" < > |, not begin with a dot, and not be too long"
        raise Refused(f"{what} {text[:LONGEST_NAME]!r} can't be used: {said}. Choose another name.")
    return text


def is_inside(path: Path, folders: Iterable[Path]) -> bool:
    """Whether a path leads into one of these folders, or is one of them; links are followed."""
    end = led_to(path)
    ends = (led_to(folder) for folder in folders)
    return end is not None and any(folder is not None and end.is_relative_to(folder) for folder in ends)


def led_to(path: Path) -> Path | None:
    """Where a path leads; None where links go in a circle or the disk can't take such a path."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return None


def file_of_run(run: RunDirectory, text: str) -> Path:
    """The file of that path, if it lies in the run's folder or the run said that it made it.

    Raises:
        Refused: it is neither (403), or no path at all (400).
    """
    if text in map(str, files_told(run)):
        return Path(text)
    path = full_path(text)
    end = led_to(path)
    if end is None or not is_inside(path, [run.path]):
        raise Refused(f"{text!r} is no file of this run.", 403)
    return end


def files_told(run: RunDirectory) -> list[Path]:
    """The files that a run said it has made, and the cells of its grid, in order."""
    paths: list[str] = []
    try:
        with run.events_file.open("rb") as file:
            # Most lines are losses: reading only those that may count keeps a long run's pictures quick.
            for line in (line for line in file if b'"saved"' in line or b'"cell"' in line):
                paths += _path_told(line)
    except FileNotFoundError:
        return []
    return [Path(path) for path in dict.fromkeys(paths)]


def _path_told(line: bytes) -> list[str]:
    try:
        data = json.loads(line)
    except ValueError:
        return []  # the half line of an engine that was killed
    fits = isinstance(data, dict) and data.get("event") in ("saved", "cell") and isinstance(data.get("path"), str)
    return [data["path"]] if fits else []
