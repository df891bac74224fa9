"""What a path that was given brings: a folder, an archive, a parquet file, a picture, or a table of captions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from lib_trainer.core.errors import DataError
from lib_trainer.images.importing.archives import zip_source
from lib_trainer.images.importing.entries import Entry, Left, Source, opened
from lib_trainer.images.importing.folders import file_source, folder_source
from lib_trainer.images.importing.options import ImportOptions
from lib_trainer.images.importing.parquet import parquet_source
from lib_trainer.images.suffixes import PICTURE_SUFFIXES

GIGABYTE = 1_000_000_000
TABLES = (".jsonl", ".csv", ".json")


def _zip(path: Path, options: ImportOptions) -> Source:
    return zip_source(path, int(options.most_unpacked * GIGABYTE))


ARCHIVES: dict[str, Callable[[Path, ImportOptions], Source]] = {".zip": _zip, ".parquet": parquet_source}


def open_sources(options: ImportOptions, leave: Callable[[Left], None]) -> tuple[list[Source], list[Entry]]:
    """The sources with pictures, archives inside of folders included, and the tables that were given by themselves.

    Where only tables were given, the pictures are those of their folders.

    Raises:
        DataError: a source is not there, is of no known kind, or can't be opened.
        ConfigError: a table lacks a column that was asked for.
    """
    sources: list[Source] = []
    tables: list[Entry] = []
    for path in options.source:
        if path.suffix.lower() in TABLES and path.is_file():
            tables.append(_table(path))
            continue
        source = _source(path, options)
        if path.suffix.lower() == ".parquet" and path.is_file() and source.rows is None:
            tables.append(_table(path))
            continue
        sources += [source, *_inside(source, options, leave)]
    if not sources:
        folders = dict.fromkeys(path.parent for path in options.source)
        sources = [folder_source(folder) for folder in folders]
    return sources, tables


def _source(path: Path, options: ImportOptions) -> Source:
    if path.is_dir():
        return folder_source(path)
    if not path.is_file():
        raise DataError(f"{path} does not exist; check its path.")
    suffix = path.suffix.lower()
    if suffix in ARCHIVES:
        return ARCHIVES[suffix](path, options)
    if suffix in PICTURE_SUFFIXES:
        return file_source(path)
    known = ", ".join((*ARCHIVES, *TABLES))
    raise DataError(f"{path} can't be brought in; give folders, pictures or files that end in {known}.")


def _inside(source: Source, options: ImportOptions, leave: Callable[[Left], None]) -> Sequence[Source]:
    """The archives and parquet files that lie in a folder; one that is damaged does not end the others."""
    found: list[Source] = []
    for entry in source.entries:
        if entry.suffix not in ARCHIVES:
            continue
        if entry.real is None:
            leave(Left(entry.name, f"a {entry.suffix} file inside an archive is not read; unpack the archive first"))
            continue
        try:
            inner = ARCHIVES[entry.suffix](entry.real, options)
        except DataError as error:
            leave(Left(entry.name, str(error)))
        else:
            found += [inner, *_inside(inner, options, leave)]
    return found


def _table(path: Path) -> Entry:
    return Entry(path.name, partial(opened, path), real=path)
