"""How hostile inputs are written down: a command on a folder of them, and what must be said of each."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Attempt:
    """One command on what `build` puts into its place.

    `said` is input -> words that must come in this order in one sentence; `made` the files in PLACE/out afterwards,
    all of them, or None where that is not looked at; `fails` whether the command ends with one sentence for the user.
    """

    command: str
    build: Callable[[Path], None]
    said: dict[str, tuple[str, ...]]
    made: tuple[str, ...] | None = None
    fails: bool = False
    changes: tuple[str, ...] = field(default=("out", "run"))


def png(number=0, size=(64, 64), kind="PNG"):
    """A good picture, another for each number."""
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", size, (number * 37 % 256, number * 91 % 256, 99)).save(file, kind)
    return file.getvalue()


def pixel_bomb():
    """A PNG of 100000 x 100000 pixels in a few bytes."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(b"\0")), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def fill(folder, files):
    """Write files, of bytes, text or plain data."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(content) if isinstance(content, (dict, list)) else content
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))


def pack(file, files):
    """A zip archive of (name or ZipInfo, bytes or text); names may come twice."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
