"""Names of files and folders that every system takes."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from pathlib import PurePosixPath

# Windows takes these for devices, whatever folder they stand in and whatever ending they have.
DEVICE = re.compile(r"(?i)(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])( *\..*)?")
NOT_IN_NAMES = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|\ud800-\udfff]')
LONGEST_NAME = 200  # bytes; a disk takes 255, of which a whole file's temporary name needs some
LONGEST_PATH = 200  # characters of a path below its folder; Windows takes 260 in all
SHORT_NAME = 60  # bytes of each name in a path that would be longer


def safe_name(text: str, longest: int = LONGEST_NAME) -> str:
    """The nearest name to this one that every system takes; the ending is kept."""
    name = NOT_IN_NAMES.sub("_", unicodedata.normalize("NFC", text)).strip().rstrip(". ")
    name = f"_{name}" if not name or name[0] == "." or DEVICE.fullmatch(name) else name
    if len(os.fsencode(name)) <= longest:
        return name
    ending = PurePosixPath(name).suffix if len(os.fsencode(PurePosixPath(name).suffix)) <= 10 else ""
    mark = f"~{hashlib.sha256(os.fsencode(name)).hexdigest()[:8]}{ending}"
    kept = os.fsencode(name)[: longest - len(os.fsencode(mark))].decode("utf-8", "ignore")
    return f"{kept.rstrip('. ')}{mark}"


def safe_path(path: str) -> str:
    """The nearest relative path (with /) to this one that every system takes."""
    parts = [safe_name(part) for part in path.split("/")]
    if len("/".join(parts)) > LONGEST_PATH:
        parts = [safe_name(part, SHORT_NAME) for part in parts[-2:]]
    return "/".join(parts)
