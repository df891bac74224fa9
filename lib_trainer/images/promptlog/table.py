"""All files of a prompt log as one table on the disk, made once and kept for the next time the same files are read."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from lib_trainer.core.configs import dump
from lib_trainer.core.errors import DataError, OutputError
from lib_trainer.core.file_lock import file_lock
from lib_trainer.core.places import cache_folder
from lib_trainer.core.whole_files import remove, whole_folder, write_text
from lib_trainer.images.promptlog.chunks import ChunkedTable, connect
from lib_trainer.images.promptlog.days import day_of
from lib_trainer.images.promptlog.fields import FieldsOf
from lib_trainer.images.promptlog.messages import LINK_FIRST, Message, cleaned, flags_text, split_parameters
from lib_trainer.images.promptlog.options import LogCaptions, LogColumns
from lib_trainer.images.promptlog.rows import LogFile, Row

FOLDER = "promptlogs"
KEPT = 3  # tables; one of a million messages takes about 200 MB
VERSION = 1  # raise it when the same files begin to give another table
LOOK_EVERY = 5000  # rows
LOCK_SECONDS = 5.0
COLUMNS = {
    "id": "BIGINT", "author": "VARCHAR", "name": "VARCHAR", "day": "VARCHAR", "prompt": "VARCHAR", "text": "VARCHAR",
    "words": "INTEGER", "flags": "VARCHAR", "chosen": "BOOLEAN", "starts_with_link": "BOOLEAN",
    "reactions": "INTEGER", "links": "VARCHAR",
}  # fmt: skip
PLAIN = LogCaptions()

Tell = Callable[[int, int], None]


def open_table(files: list[Path], columns: LogColumns, spill: Path, tell: Tell) -> tuple[Path, list[dict[str, Any]]]:
    """The database file with the table `log`, and what was found in each file; `tell(done, total)` counts bytes.

    Raises:
        DataError: a file can't be read, or lacks a column.
        OutputError: the cache can't be written.
        StopRequested: `tell` raised it; nothing is kept then.
    """
    folder = cache_folder() / FOLDER
    place = folder / _key(files, columns)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not (place / "files.json").is_file():
            _make(place, files, columns, tell)
        os.utime(place)
        told = json.loads((place / "files.json").read_text(encoding="utf-8"))
    except OSError as error:
        raise OutputError(f"The table {place} can't be written ({error}); make room there.") from error
    return place / "log.duckdb", told


def _key(files: list[Path], columns: LogColumns) -> str:
    stamps = []
    for file in files:
        try:
            stat = file.stat()
        except OSError as error:
            raise DataError(f"{file} can't be read ({error.strerror}); check its rights.") from error
        stamps.append([str(file), stat.st_size, stat.st_mtime_ns])
    return hashlib.sha256(json.dumps([VERSION, stamps, dump(columns)]).encode()).hexdigest()[:24]


def _make(place: Path, files: list[Path], columns: LogColumns, tell: Tell) -> None:
    with file_lock(place.parent / f"{place.name}.lock", LOCK_SECONDS) as ours:
        if not ours:
            raise OutputError(f"Another run reads the same files already ({place}); wait for its end.")
        for left in place.parent.glob(f"{place.name}.*.tmp"):  # of a run that was killed
            remove(left)
        with whole_folder(place) as making:
            told = _fill(making, files, columns, tell)
            write_text(making / "files.json", json.dumps(told))
        _forget(place.parent)


def _forget(folder: Path) -> None:
    """Remove the tables that were not used for longest."""
    made = [path for path in folder.iterdir() if (path / "files.json").is_file()]
    for path in sorted(made, key=lambda each: each.stat().st_mtime, reverse=True)[KEPT:]:
        remove(path)


def _fill(folder: Path, files: list[Path], columns: LogColumns, tell: Tell) -> list[dict[str, Any]]:
    connection = connect(folder / "log.duckdb", folder / "spill")
    try:
        table = ChunkedTable(connection, "log", COLUMNS, folder)
        total, before, told, number = sum(file.stat().st_size for file in files), 0, [], 0
        for path in files:
            log = LogFile(path, columns.encoding)
            rows = _read(log, columns, table, number, partial(_tell_bytes, tell, before, log, total))
            number += rows
            before += path.stat().st_size
            told.append(_told(log, rows))
        table.flush()
        tell(total, total)
        connection.execute("CHECKPOINT")
    finally:
        connection.close()
    remove(folder / "spill")
    return told


def _tell_bytes(tell: Tell, before: int, log: LogFile, total: int) -> None:
    tell(before + log.bytes_read, total)


def _read(log: LogFile, columns: LogColumns, table: ChunkedTable, number: int, tell: Callable[[], None]) -> int:
    """Put a file's rows into the table; how many there were."""
    fields: FieldsOf | None = None
    count = 0
    try:
        for row in log.rows():
            fields = fields or FieldsOf(log, columns)
            table.add(_values(str(number + count), fields, row, columns))
            count += 1
            if count % LOOK_EVERY == 0:
                tell()
    except OSError as error:
        raise DataError(f"{log.path} can't be read ({error.strerror or error}); check it.") from error
    if fields is None:
        FieldsOf(log, columns)  # it may be only its header that is wrong
    return count


def _values(number: str, fields: FieldsOf, row: Row, columns: LogColumns) -> list[str]:
    message = Message.of(fields.content(row), columns.prompt == "between stars")
    words, parameters = split_parameters(message.prompt)
    text = cleaned(words, PLAIN)
    return [
        number,
        fields.author(row),
        fields.name(row),
        day_of(fields.date(row)),
        " ".join(message.prompt.split()),
        text,
        str(len(text.split())),
        flags_text(parameters),
        str(message.is_chosen),
        str(LINK_FIRST.match(message.prompt) is not None),
        str(fields.reactions(row)),
        fields.links(row),
    ]


def _told(log: LogFile, rows: int) -> dict[str, Any]:
    return {
        "file": str(log.path),
        "rows": rows,
        "encoding": log.encoding,
        "rejected": dict(log.rejects.counts.most_common()),
        "rejects": [asdict(reject) for reject in log.rejects.named],
    }
