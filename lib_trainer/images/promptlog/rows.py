"""The rows of a CSV file, one after the other; what can't be read costs a row, never the rest of the file."""

from __future__ import annotations

import csv
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

from lib_trainer.images.promptlog.charset import charset

LONGEST_ROW = 131_072  # letters; Discord's longest message has 4,000
NAMED = 100  # rejects of a file that are told one by one
SHOWN = 120  # letters of a reject
DELIMITERS = (",", ";", "\t", "|")
NUL = "\udc00"  # half a letter, which no file in UTF-8 can hold: stands for what no row may hold
BROKEN = "\udcff"
Row = list[str]


@dataclass(frozen=True)
class Reject:
    """A row that was left out: its line's number, why, and how it begins."""

    line: int
    reason: str
    text: str


@dataclass
class Rejects:
    """How many rows of a file were left out for which reason, and the first of them."""

    counts: Counter[str] = field(default_factory=Counter)
    named: list[Reject] = field(default_factory=list)

    def add(self, line: int, reason: str, text: str) -> None:
        self.counts[reason] += 1
        if len(self.named) < NAMED:
            said = text[:SHOWN].replace(NUL, "\0").encode("utf-8", "replace").decode("utf-8")
            self.named.append(Reject(line, reason, "".join(sign if sign.isprintable() else " " for sign in said)))


class _Lines:
    """A file's lines for a CSV reader; those that a row has taken can be given back."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._back: deque[str] = deque()
        self.taken: list[str] = []
        self._letters = 0
        self.first = 1  # number of the first line taken
        self._next = 1

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        """The next line.

        Raises:
            csv.Error: the row becomes longer than any message.
        """
        if self._letters > LONGEST_ROW:
            raise csv.Error("longer than any message")
        line = self._back.popleft() if self._back else self._file.readline(LONGEST_ROW + 1)
        if not line:
            raise StopIteration
        self._next += 1
        self._letters += len(line)
        self.taken.append(line)
        if len(line) > LONGEST_ROW:
            self._skip(line)
            raise csv.Error("longer than any message")
        return line.replace("\0", NUL).replace("\ufffd", BROKEN) if not line.isascii() or "\0" in line else line

    def begin(self) -> None:
        """A new row begins."""
        self.taken.clear()
        self._letters = 0
        self.first = self._next

    def give_back(self) -> str:
        """Give back all lines of this row but its first, which is told."""
        first, *rest = self.taken
        self._back.extendleft(reversed(rest))
        self._next -= len(rest)
        return first

    def _skip(self, line: str) -> None:
        """Read on to the end of a line that is too long."""
        while line and not line.endswith("\n"):
            line = self._file.readline(LONGEST_ROW)


class LogFile:
    """A CSV file: its encoding and delimiter, its header, and its rows with what was rejected so far."""

    def __init__(self, path: Path, encoding: str = "auto") -> None:
        self.path = path
        self.encoding = charset(path) if encoding == "auto" else encoding.replace("utf-8", "utf-8-sig")
        self.rejects = Rejects()
        self.header: Row = []
        self.delimiter = ","
        self.bytes_read = 0

    def rows(self) -> Iterator[Row]:
        """All rows behind the header that have as many fields as it has, and whole letters.

        Raises:
            OSError: what the disk said.
        """
        # Wide encodings have no escape for what is broken in them.
        errors = "replace" if self.encoding.startswith(("utf-16", "utf-32")) else "surrogateescape"
        with self.path.open("rb") as raw, TextIOWrapper(raw, self.encoding, errors, newline="") as file:
            self.delimiter = _delimiter(file.readline(LONGEST_ROW))
            file.seek(0)
            for line, row in enumerate(self._parsed(file)):
                if not self.header:
                    self.header = [name.strip() for name in row]
                    continue
                if line % 1000 == 0:
                    self.bytes_read = raw.tell()
                yield row

    def _parsed(self, file: TextIO) -> Iterator[Row]:
        lines = _Lines(file)
        reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
        while True:
            lines.begin()
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                if not lines.taken:
                    return
                self.rejects.add(lines.first, _reason(error), lines.give_back())
                # A reader that failed may still be within the quotes.
                reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
                continue
            if not row:
                continue  # an empty line
            if reason := self._objection(row):
                first = lines.give_back() if len(lines.taken) > 1 and "fields" in reason else lines.taken[0]
                if len(lines.taken) > 1 and "fields" in reason:
                    reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
                self.rejects.add(lines.first, reason, first)
                continue
            yield row

    def _objection(self, row: Row) -> str:
        if self.header and len(row) != len(self.header):
            return "another number of fields than the header has"
        if self.header and row[0].strip() == self.header[0] and [name.strip() for name in row] == self.header:
            return "the header once more"  # files that were put one behind the other
        text = "".join(row)
        if text.isascii():
            return ""
        try:
            text.encode()
        except UnicodeEncodeError:
            return "a NUL character" if NUL in text else "letters that are broken, or in another encoding"
        return ""


def _delimiter(line: str) -> str:
    return max(DELIMITERS, key=line.count)


def _reason(error: csv.Error) -> str:
    said = str(error)
    if "longer" in said or "limit" in said:
        return "a quote that is not closed, or a row longer than any message"
    if "unexpected end" in said:
        return "a quote that is not closed"
    return "a quote in the middle of a field"
