"""The caption of each picture that is brought in: from the tables that were given, files beside it, tables in there."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

from lib_trainer.core.errors import DataError
from lib_trainer.images.encodings import decoded
from lib_trainer.images.importing.entries import Entry, Left, Source, UnreadableEntry, Words
from lib_trainer.images.importing.kohya import is_kohya
from lib_trainer.images.importing.matching import PictureIndex, Place
from lib_trainer.images.importing.options import ImportOptions
from lib_trainer.images.importing.tables import is_table, read_table

LONGEST_CAPTION = 20_000  # characters; no text encoder reads a tenth of it
MOST_BYTES = 4 * LONGEST_CAPTION
SIDE_FILES = ("overrides.json",)  # JSON that lies among pictures and is no table

Leave = Callable[[Left], None]


class Wording:
    """Knows the words of each picture; `leave` is told of rows and files that can't be used."""

    def __init__(self, sources: Sequence[Source], given: Sequence[Entry], options: ImportOptions, leave: Leave) -> None:
        """Read all tables.

        Raises:
            DataError: a table that was given can't be read.
            ConfigError: a table lacks a column that was asked for.
        """
        self._way, self._leave = options.tags, leave
        self._given: dict[Place, Words] = {}
        self._found: dict[Place, Words] = {}
        self._beside: dict[tuple[int, str], dict[str, Entry]] = {}
        index = PictureIndex(sources)
        for table in given:
            self._take(table, options, self._given, index.anywhere)
        for number, source in enumerate(sources):
            for entry in source.entries:
                if entry.suffix in (".txt", ".caption"):
                    self._beside.setdefault((number, entry.stem), {})[entry.suffix] = entry
            for table in self._tables(source):
                try:
                    self._take(table, options, self._found, _finder(index, number, table))
                except DataError as error:
                    leave(Left(table.name, str(error)))

    def _tables(self, source: Source) -> list[Entry]:
        """The tables of a source; kohya's has no usual name, and counts where there is only one."""
        tables = [entry for entry in source.entries if is_table(entry)]
        guesses = [
            entry for entry in source.entries
            if entry.suffix == ".json" and PurePosixPath(entry.name).name not in SIDE_FILES and _looks_like_kohya(entry)
        ]  # fmt: skip
        if len(guesses) > 1:
            names = ", ".join(entry.name for entry in guesses[:5])
            reason = f"several files look like kohya's ({names}); give the right one as a source"
            self._leave(Left(guesses[0].name, reason))
            return tables
        return [*tables, *guesses]

    def _take(
        self, table: Entry, options: ImportOptions, words: dict[Place, Words], find: Callable[[str], Place | str]
    ) -> None:
        for row in read_table(table, options, self._leave):
            place = find(row.picture)
            if isinstance(place, str):
                self._leave(Left(row.place, f"{row.picture}: {place}"))
            elif place in words:
                self._leave(Left(row.place, "it names a picture that an earlier row names; the earlier one is used"))
            else:
                words[place] = row.words

    def texts(self, number: int, entry: Entry) -> tuple[str, str, list[Left]]:
        """What goes into NAME.txt and NAME.caption, each empty where there is nothing, and what was left of it."""
        left: list[Left] = []
        place = (number, entry.name)
        beside = self._beside.get((number, entry.stem), {})
        if entry.words is not None or place in self._given:
            texts = (entry.words or self._given[place]).joined(self._way)
        elif beside:
            texts = (_read(beside.get(".txt"), left), _read(beside.get(".caption"), left))
        else:
            texts = self._found.get(place, Words()).joined(self._way)
        return _clean(entry.name, texts[0], left), _clean(entry.name, texts[1], left), left


def _finder(index: PictureIndex, number: int, table: Entry) -> Callable[[str], Place | str]:
    def find(name: str) -> Place | str:
        found = index.beside(name, number, "" if table.folder == "." else table.folder)
        return found or (index.anywhere(name) if table.suffix == ".json" else "that picture is not there")

    return find


def _looks_like_kohya(entry: Entry) -> bool:
    try:
        with entry.open() as file:
            return is_kohya(json.loads(file.read()))
    except (UnreadableEntry, OSError, ValueError, RecursionError):
        return False  # whatever it is, it is not kohya's


def _read(entry: Entry | None, left: list[Left]) -> str:
    """The text of a caption file as it stands."""
    if entry is None:
        return ""
    try:
        with entry.open() as file:
            data = file.read(MOST_BYTES + 1)
    except UnreadableEntry as error:
        left.append(Left(entry.name, str(error)))
        return ""
    except OSError as error:
        left.append(Left(entry.name, f"it can't be read ({error.strerror or error})"))
        return ""
    found = decoded(data[:MOST_BYTES]) if len(data) <= MOST_BYTES else None
    if found is None:
        too_long = f"it is longer than any caption ({MOST_BYTES // 1000} kB)"
        left.append(Left(entry.name, too_long if len(data) > MOST_BYTES else "it is no text in a known encoding"))
        return ""
    if found.other_encoding:
        left.append(Left(entry.name, f"it is not UTF-8, was read as {found.other_encoding} and written as UTF-8"))
    return found.text


def _clean(name: str, text: str, left: list[Left]) -> str:
    """A caption that every program can read."""
    if len(text) > LONGEST_CAPTION:
        left.append(Left(name, f"its caption has {len(text)} characters, more than {LONGEST_CAPTION}; it is left out"))
        return ""
    kept = text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    if kept != text:
        left.append(Left(name, "its caption held characters that no text has (such as NUL); they are left out"))
    return kept if kept.strip() else ""
