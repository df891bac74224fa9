"""Parquet files, as Hugging Face stores whole sets: pictures as bytes in one column, captions in another."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from lib_trainer.core.errors import DataError
from lib_trainer.images.importing.columns import Columns, as_text, find_columns
from lib_trainer.images.importing.entries import Entry, Left, Source, Words
from lib_trainer.images.importing.kinds import picture_suffix
from lib_trainer.images.importing.options import ImportOptions

MEMORY = "1GB"  # a group of rows must fit, which is a hundred pictures as Hugging Face writes them
ROWS_AT_ONCE = 8
GLOB = {"[": "[[]", "*": "[*]", "?": "[?]"}  # DuckDB takes a path for a pattern


def parquet_source(file: Path, options: ImportOptions) -> Source:
    """The pictures of a parquet file, or where it only names them, their captions by name.

    Raises:
        DataError: it is no parquet file.
        ConfigError: it lacks a column that was asked for.
    """
    types = _types(file)
    columns = find_columns(list(types), options.picture_column, options.caption_column, str(file))
    picture = options.picture_column or next((name for name, kind in types.items() if _holds_bytes(kind)), "")
    if not picture or not _holds_bytes(types[picture]):
        return Source(file)
    return Source(file, rows=partial(_rows, file, Columns(picture, columns.caption, columns.tags)))


def parquet_rows(file: Path) -> list[dict[str, Any]]:
    """All rows of a small table that only names its pictures.

    Raises:
        DataError: it can't be read.
    """
    names = list(_types(file))
    return [dict(zip(names, row, strict=True)) for rows in _fetched(file, names) for row in rows]


def _holds_bytes(kind: str) -> bool:
    return kind == "BLOB" or (kind.startswith("STRUCT(") and "bytes BLOB" in kind.replace('"', ""))


def _rows(file: Path, columns: Columns, leave: Callable[[Left], None]) -> Iterator[Entry]:
    """The pictures in the order of the rows; those without a picture are told to `leave`."""
    wanted = [name for name in (columns.picture, columns.caption, columns.tags) if name]
    number = 0
    try:
        for rows in _fetched(file, wanted):
            for row in rows:
                number += 1
                entry = _entry(file, number, dict(zip(wanted, row, strict=True)), columns)
                if isinstance(entry, Left):
                    leave(entry)
                else:
                    yield entry
    except DataError as error:
        leave(Left(f"{file.name} from row {number + 1} on", f"it can't be read any further ({error})"))


def _entry(file: Path, number: int, row: dict[str, Any], columns: Columns) -> Entry | Left:
    held = row[columns.picture]
    data = held.get("bytes") if isinstance(held, dict) else held
    told = held.get("path") if isinstance(held, dict) else None
    if not data:
        named = f", only the name {told!r}" if told else ""
        return Left(f"{file.name} row {number}", f"it has no picture in it{named}")
    suffix = picture_suffix(data) or ".png"
    own = Path(str(told).replace("\\", "/")).name if isinstance(told, str) and told else ""
    name = own if Path(own).suffix.lower() == suffix or own.lower().endswith(".jpeg") else ""
    words = Words(as_text(row.get(columns.caption)), as_text(row.get(columns.tags)))
    return Entry(name or f"{file.stem}-{number:06d}{suffix}", partial(io.BytesIO, data), words=words)


def _types(file: Path) -> dict[str, str]:
    return {name: str(kind) for name, kind, *_ in _asked(file, "DESCRIBE SELECT * FROM read_parquet(?)").fetchall()}


def _fetched(file: Path, columns: list[str]) -> Iterator[list[tuple[Any, ...]]]:
    import duckdb

    named = ", ".join('"{}"'.format(name.replace('"', '""')) for name in columns)
    asked = _asked(file, f"SELECT {named} FROM read_parquet(?)")
    try:
        while rows := asked.fetchmany(ROWS_AT_ONCE):
            yield rows
    except duckdb.Error as error:
        raise DataError(_first_line(error)) from error


def _asked(file: Path, question: str) -> Any:
    import duckdb

    settings: dict[str, Any] = {
        "memory_limit": MEMORY, "threads": 1,
        "autoinstall_known_extensions": False, "autoload_known_extensions": False,
    }  # fmt: skip
    try:
        path = "".join(GLOB.get(letter, letter) for letter in str(file))
        return duckdb.connect(config=settings).execute(question, [path])
    except duckdb.Error as error:
        raise DataError(f"{file} is no whole parquet file ({_first_line(error)}); download it again.") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200]
