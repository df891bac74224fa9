"""Text files as people have them: UTF-8 with or without a mark, and what older editors wrote."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path

from lib_trainer.core.errors import DataError


@dataclass(frozen=True)
class TextFile:
    """The text of a file and, where it was not UTF-8, the encoding that was taken instead."""

    text: str
    other_encoding: str = ""


def read_text_file(path: Path) -> TextFile:
    """Read UTF-8 (a byte-order mark is dropped), else UTF-16 by its mark, else Windows-1252.

    Raises:
        DataError: the file can't be read, or is in none of these encodings.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} can't be read ({error.strerror or error}).") from error
    found = decoded(data)
    if found is None:
        raise DataError(f"{path} is not text in UTF-8, UTF-16 or Windows-1252; save it as UTF-8.")
    return found


def decoded(data: bytes) -> TextFile | None:
    """The text of these bytes, in the same order of encodings; None where it is none of them."""
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "cp1252"):
        try:
            return TextFile(data.decode(encoding), "" if encoding == "utf-8-sig" else encoding)
        except UnicodeDecodeError:
            continue
    return None
