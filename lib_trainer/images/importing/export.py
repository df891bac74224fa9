"""The step `export`: the captions of a folder of pictures as kohya's metadata or Hugging Face's."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lib_trainer.core.errors import ConfigError, DataError, OutputError, StopRequested
from lib_trainer.core.events import Notice, Saved
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.core.whole_files import write_text
from lib_trainer.images.captions import one_line
from lib_trainer.images.encodings import read_text_file
from lib_trainer.images.folder import scan
from lib_trainer.images.importing.entries import Words
from lib_trainer.images.importing.kohya import parse_kohya
from lib_trainer.images.importing.options import ExportOptions
from lib_trainer.images.pictures import Picture

TABLE_NAMES = {"jsonl": "metadata.jsonl", "csv": "metadata.csv"}

Described = list[tuple[Picture, Words]]


def export(options: ExportOptions, run: RunDirectory) -> dict[str, Any]:
    """Write the file; returns `{"file", "pictures", "without"}`. Nothing is written when the run is asked to stop.

    Raises:
        ConfigError: two options contradict each other, or two pictures would have one key.
        DataError: there is no picture, or the file that lies there is another.
        OutputError: the file can't be written.
    """
    file = _file(options)
    try:
        described = _described(options, run)
    except StopRequested:
        return {}
    text = FORMATS[options.format](described, file, options)
    try:
        write_text(file, text)
    except OSError as error:
        raise OutputError(f"{file} can't be written ({error}); choose another 'output'.") from error
    without = [picture.path.name for picture, words in described if not words.caption and not words.tags]
    if without:
        told = f"{len(without)} pictures have no caption and are in the file without one, {without[0]} first."
        run.append(Notice(told, level="warning"))
    run.append(Saved("pictures", str(file)))
    return {"file": str(file), "pictures": len(described), "without": len(without)}


def _file(options: ExportOptions) -> Path:
    folder = options.folder
    if options.format == "kohya":
        return options.output or folder.parent / f"{folder.name}-metadata.json"
    file = options.output or folder / TABLE_NAMES[options.format]
    if file.name != TABLE_NAMES[options.format]:
        raise ConfigError(f"'output' is {file}, but Hugging Face reads only {TABLE_NAMES[options.format]}; name it so.")
    if file.parent.resolve() not in (folder.resolve(), *folder.resolve().parents):
        raise ConfigError(f"'output' is {file}; such a table lies in the pictures' folder or above it.")
    return file


def _described(options: ExportOptions, run: RunDirectory) -> Described:
    """The pictures with their words; they are not opened."""

    def looked(done: int, total: int) -> None:
        del done, total
        if run.stop_requested():
            raise StopRequested

    found = scan(options.folder, options.captions, looked, look=lambda path: (0, 0))
    for notice in found.notices:
        run.append(Notice(notice, level="warning"))
    return [(picture, _words(picture, options)) for picture in found.pictures]


def _words(picture: Picture, options: ExportOptions) -> Words:
    if options.format != "kohya" or options.field == "caption":
        return Words(caption=picture.caption)
    if options.field == "tags":
        return Words(tags=picture.caption)
    return Words(_text(picture.path.with_suffix(".caption")), _text(picture.path.with_suffix(".txt")))


def _text(file: Path) -> str:
    return one_line(read_text_file(file).text) if file.is_file() else ""


def _kohya(described: Described, file: Path, options: ExportOptions) -> str:
    """kohya's table, with what the file says already and is nothing of ours."""
    table = _there(file)
    keys: dict[str, Path] = {}
    for picture, words in described:
        key = _key(picture.path, options)
        if key in keys:
            said = f"{keys[key]} and {picture.path} would both be {key!r} in the file"
            raise ConfigError(f"'keys' is {options.keys!r}, but {said}; set it to 'full path'.")
        keys[key] = picture.path
        told = {"caption": words.caption} if words.caption or options.field == "caption" else {}
        table[key] = {**table.get(key, {}), **told, **({"tags": words.tags} if words.tags else {})}
    return json.dumps(table, indent=2)


def _there(file: Path) -> dict[str, dict[str, Any]]:
    try:
        return parse_kohya(read_text_file(file).text, file) if file.exists() else {}
    except DataError as error:
        raise DataError(f"{error} It is not overwritten: give another 'output'.") from error


def _key(path: Path, options: ExportOptions) -> str:
    if options.keys == "full path":
        return str(path.absolute())
    inside = path.relative_to(options.folder)
    return inside.stem if options.keys == "name" else inside.as_posix()


def _lines(described: Described, file: Path, options: ExportOptions) -> str:
    del options
    rows = ({"file_name": _relative(picture, file), "text": words.caption} for picture, words in described)
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def _commas(described: Described, file: Path, options: ExportOptions) -> str:
    del options
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("file_name", "text"))
    rows.writerows((_relative(picture, file), words.caption) for picture, words in described)
    return text.getvalue()


def _relative(picture: Picture, file: Path) -> str:
    inside = Path(os.path.relpath(picture.path.absolute(), file.parent.absolute())).as_posix()
    if inside != inside.encode("utf-8", "replace").decode("utf-8"):
        raise DataError(f"The name of {picture.path} is no text, so no table can name it; rename that picture.")
    return inside


FORMATS: Mapping[str, Callable[[Described, Path, ExportOptions], str]] = {
    "kohya": _kohya,
    "jsonl": _lines,
    "csv": _commas,
}
