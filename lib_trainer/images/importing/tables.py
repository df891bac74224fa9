"""Tables that name pictures and say what is on them: metadata.jsonl, .csv, .parquet, and kohya's JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from lib_trainer.core.errors import DataError
from lib_trainer.images.encodings import decoded
from lib_trainer.images.importing.columns import NAMES, as_text, find_columns
from lib_trainer.images.importing.entries import Entry, Left, UnreadableEntry, Words
from lib_trainer.images.importing.kohya import parse_kohya
from lib_trainer.images.importing.options import ImportOptions
from lib_trainer.images.importing.parquet import parquet_rows

MOST_BYTES = 500_000_000  # of a table
ALWAYS_READ = ("metadata.jsonl", "metadata.csv", "metadata.parquet")

Leave = Callable[[Left], None]


@dataclass(frozen=True)
class Row:
    """What one row says: the picture as it is named there, and its words."""

    picture: str
    words: Words
    place: str  # such as `metadata.csv row 7`


def read_table(entry: Entry, options: ImportOptions, leave: Leave) -> list[Row]:
    """The rows of a table; those that can't be used are told to `leave`.

    Raises:
        DataError: the file can't be read, or is no such table.
        ConfigError: it lacks a column that was asked for.
    """
    return list(READERS[entry.suffix](entry, options, leave))


def _lines(entry: Entry, options: ImportOptions, leave: Leave) -> Iterator[Row]:
    """One JSON table a line."""
    for number, line in enumerate(_text(entry, leave).split("\n"), start=1):
        place = f"{entry.name} line {number}"
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            leave(Left(place, 'it is no whole {"file_name": "...", "text": "..."}'))
        else:
            yield from _row(row, place, options, leave)


def _commas(entry: Entry, options: ImportOptions, leave: Leave) -> Iterator[Row]:
    """Values with commas between them, the names of the columns in the first line."""
    text = _text(entry, leave).replace("\0", "")  # Python 3.10's reader ends at one
    lines = csv.reader(io.StringIO(text, newline=""))
    head: list[str] = []
    while True:
        place = f"{entry.name} line {lines.line_num + 1}"
        try:
            values = next(lines)
        except StopIteration:
            return
        except csv.Error as error:
            leave(Left(place, f"it can't be read ({error})"))
            continue
        if not head:
            head = [name.strip() for name in values]
            find_columns(head, options.picture_column, options.caption_column, entry.name)
        elif len(values) > len(head):
            leave(Left(place, f"it has {len(values)} values for {len(head)} columns; quote those with commas"))
        elif values:
            yield from _row(dict(zip(head, values, strict=False)), place, options, leave)


def _kohya(entry: Entry, options: ImportOptions, leave: Leave) -> Iterator[Row]:
    del options
    for picture, told in parse_kohya(_text(entry, leave), entry.name).items():
        words = Words(as_text(told.get("caption")).strip(), as_text(told.get("tags")).strip())
        yield Row(picture.replace("\\", "/"), words, f"{entry.name} {picture!r}")


def _parquet(entry: Entry, options: ImportOptions, leave: Leave) -> Iterator[Row]:
    if entry.real is None:
        raise DataError(f"{entry.name} lies inside an archive, where parquet files are not read; unpack it first.")
    for number, row in enumerate(parquet_rows(entry.real), start=1):
        yield from _row(row, f"{entry.name} row {number}", options, leave)


READERS: dict[str, Callable[[Entry, ImportOptions, Leave], Iterator[Row]]] = {
    ".jsonl": _lines,
    ".csv": _commas,
    ".json": _kohya,
    ".parquet": _parquet,
}


def _row(row: dict[str, Any], place: str, options: ImportOptions, leave: Leave) -> Iterator[Row]:
    columns = find_columns(list(row), "", "", place)
    picture = row.get(options.picture_column or columns.picture)
    caption = as_text(row.get(options.caption_column or columns.caption)).strip()
    tags = as_text(row.get(columns.tags)).strip() if options.caption_column != columns.tags else ""
    if not isinstance(picture, str) or not picture.strip():
        leave(Left(place, f"it names no picture; that would be called {' or '.join(NAMES[:2])}"))
    elif not caption and not tags:
        leave(Left(place, "it has no caption"))
    else:
        yield Row(picture.strip().replace("\\", "/"), Words(caption, tags), place)


def _text(entry: Entry, leave: Leave) -> str:
    try:
        with entry.open() as file:
            data = file.read(MOST_BYTES + 1)
    except UnreadableEntry as error:
        raise DataError(f"{entry.name} is not read: {error}.") from error
    except OSError as error:
        raise DataError(f"{entry.name} can't be read ({error.strerror or error}).") from error
    if len(data) > MOST_BYTES:
        raise DataError(f"{entry.name} is not read: a table has at most {MOST_BYTES // 1_000_000} MB.")
    found = decoded(data)
    if found is None:
        raise DataError(f"{entry.name} is not text in UTF-8, UTF-16 or Windows-1252; save it as UTF-8.")
    if found.other_encoding:
        leave(Left(entry.name, f"it is not UTF-8 and was read as {found.other_encoding}"))
    return found.text


def is_table(entry: Entry) -> bool:
    """Whether a file inside a source is a table of captions by its name."""
    return PurePosixPath(entry.name).name.lower() in ALWAYS_READ
