"""What the fields of a prompt log's rows mean, by the names of their columns."""

from __future__ import annotations

import re

from lib_trainer.core.errors import DataError
from lib_trainer.core.registry import did_you_mean
from lib_trainer.images.promptlog.options import LogColumns
from lib_trainer.images.promptlog.rows import LogFile, Row

BETWEEN_LINKS = re.compile(r"\s*,\s*(?=https?://)|[\r\n\t]+", re.IGNORECASE)
SEPARATOR = "\x1f"  # between a row's links in the table
COUNT = re.compile(r"\((\d{1,6})\)")


class FieldsOf:
    """Reads the rows of one file; each method answers text on one line."""

    def __init__(self, log: LogFile, columns: LogColumns) -> None:
        """See which column is which.

        Raises:
            DataError: the file is empty, or has no such column as the options name.
        """
        self._log = log
        self._names = {_plain(name): place for place, name in reversed(list(enumerate(log.header)))}
        self._content = self._place(columns, "content")
        self._links = self._place(columns, "attachments")
        self._author_id = self._place(columns, "author_id")
        self._name = self._place(columns, "author")
        self._date = self._place(columns, "date")
        self._reactions = self._place(columns, "reactions")
        if self._content is None:
            raise DataError("'columns.content' is empty; name the column with the message.")

    def _place(self, columns: LogColumns, option: str) -> int | None:
        wanted = getattr(columns, option)
        if not wanted.strip():
            return None
        place = self._names.get(_plain(wanted))
        default = getattr(LogColumns(), option)
        # Other exports lack what only some filters need.
        if place is None and (option in ("content", "attachments") or wanted != default):
            there = ", ".join(self._log.header) or "none: the file is empty"
            said = f"has no column {wanted!r}, as 'columns.{option}' says"
            hint = did_you_mean(wanted, self._log.header)
            raise DataError(f"{self._log.path} {said}.{hint} Its columns are: {there}.")
        return place

    def content(self, row: Row) -> str:
        return "" if self._content is None else row[self._content]

    def author(self, row: Row) -> str:
        """What tells users apart."""
        place = self._name if self._author_id is None else self._author_id
        return "" if place is None else " ".join(row[place].split())

    def name(self, row: Row) -> str:
        return self.author(row) if self._name is None else " ".join(row[self._name].split())

    def date(self, row: Row) -> str:
        return "" if self._date is None else row[self._date]

    def reactions(self, row: Row) -> int:
        """How many there are in all."""
        if self._reactions is None or not row[self._reactions]:
            return 0
        return sum(map(int, COUNT.findall(row[self._reactions])))

    def links(self, row: Row) -> str:
        """The links, separated by `SEPARATOR`; one that is no web address is a file's name."""
        if self._links is None or not row[self._links]:
            return ""
        if "," not in row[self._links] and len(row[self._links].split()) == 1:
            return row[self._links].strip()
        links = (" ".join(link.split()) for link in BETWEEN_LINKS.split(row[self._links].strip()))
        return SEPARATOR.join(link for link in links if link)


def _plain(name: str) -> str:
    return "".join(sign for sign in name.casefold() if sign.isalnum())
