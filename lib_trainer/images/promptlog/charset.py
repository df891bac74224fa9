"""How the letters of a large text file are stored, found out from its beginning."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

LOOKED_AT = 16_000_000  # bytes
BLOCK = 1_000_000
BROKEN = re.compile("[\udc80-\udcff]")
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def charset(path: Path) -> str:
    """`utf-8-sig`, `utf-16`, `utf-32` or `cp1252`.

    A file counts as UTF-8 unless more of its foreign letters are broken than whole: a few broken rows are to be told,
    not to be read as something else.

    Raises:
        OSError: what the disk said.
    """
    with path.open("rb") as file:
        first = file.read(BLOCK)
        for mark, name in MARKS.items():  # UTF-32's begins as UTF-16's does, so it comes before it
            if first.startswith(mark):
                return name
        if unmarked := _two_bytes(first):
            return unmarked
        whole = broken = 0
        block = first
        while block and file.tell() <= LOOKED_AT:
            block += file.readline()  # a line's end is no place within a letter
            text = block.decode("utf-8", "surrogateescape")
            if not text.isascii():
                bad = len(BROKEN.findall(text))
                broken += bad
                whole += len(text) - len(text.encode("ascii", "ignore")) - bad
            block = file.read(BLOCK)
    return "cp1252" if broken > whole else "utf-8-sig"


def _two_bytes(first: bytes) -> str:
    """UTF-16 without a mark: every other byte of plain letters is zero."""
    some = first[:4000]
    if len(some) < 8:
        return ""
    for name, zeros, letters in (("utf-16-le", some[1::2], some[::2]), ("utf-16-be", some[::2], some[1::2])):
        if zeros.count(0) > len(zeros) * 0.7 and letters.count(0) < len(letters) * 0.1:
            return name
    return ""
