"""What is left of a prompt log after its filters: counts, an overview, and the pictures that are wanted, in order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_trainer.core.whole_files import remove
from lib_trainer.images.promptlog.chunks import connect
from lib_trainer.images.promptlog.fields import SEPARATOR
from lib_trainer.images.promptlog.filters import Count, apply_filters
from lib_trainer.images.promptlog.options import LogFilters

if TYPE_CHECKING:
    import duckdb

WORK = "promptlog-work"
AT_ONCE = 2000  # wanted pictures in memory
SAMPLE = 40
MOST_LISTED = 40  # words, users, ...
# Discord signs its links anew every day: without that, the same picture has the same link.
SIGNATURE = r"[?&](?:ex|is|hm)=[^&]*"
# RE2 and Python read this alike; digits and signs are no words.
WORD = r"\p{L}[\p{L}'’-]+"
SKIPPED_WORDS = (
    *("the", "and", "with", "of", "in", "on", "at", "by", "for", "to", "from", "is", "as", "an", "its"),
    *("his", "her", "into", "or", "very", "that", "are", "up", "out"),
)


@dataclass(frozen=True)
class Wanted:
    """A picture that is wanted: its link or file name, the prompt of the first message that shows it, its own file."""

    place: int
    link: str
    prompt: str
    source: Path | None = None


@dataclass(frozen=True)
class Selection:
    """What is left after the filters."""

    connection: duckdb.DuckDBPyConnection
    counts: list[Count]
    pictures: int

    def wanted(self, most: int | None) -> Iterator[Wanted]:
        """The pictures in the order of their messages."""
        last, left = -1, self.pictures if most is None else min(most, self.pictures)
        while left > 0:
            rows = self.connection.execute(
                "SELECT w.place, w.link, l.prompt FROM wanted w JOIN logs.log l ON l.id = w.id "
                "WHERE w.place > ? AND w.place <= ? ORDER BY w.place",
                [last, last + min(left, AT_ONCE)],
            ).fetchall()
            for place, link, prompt in rows:
                yield Wanted(place, link, prompt)
            last += min(left, AT_ONCE)
            left -= AT_ONCE

    def overview(self) -> dict[str, Any]:
        """A sample, and the most frequent users, words, parameters, shapes and lengths."""
        return {
            "sample": self._sample(),
            "users": self._top("name", "logs.log l SEMI JOIN kept USING (id)", "name <> ''"),
            "words": self._words(),
            "parameters": self._parameters(""),
            "shapes": self._parameters("WHERE starts_with(flag, 'ar=')"),
            "lengths": self._lengths(),
            "days": self._days(),
        }

    def _top(self, value: str, source: str, where: str) -> list[list[Any]]:
        rows = self.connection.execute(
            f"SELECT {value} AS value, count(*) AS times FROM {source} WHERE {where} "
            f"GROUP BY value ORDER BY times DESC, value LIMIT {MOST_LISTED}"
        ).fetchall()
        return [list(row) for row in rows]

    def _sample(self) -> list[dict[str, Any]]:
        """Messages from all over what is left, always the same ones."""
        rows = self.connection.execute(
            "SELECT text, name, day, flags, links FROM logs.log l "
            f"WHERE id IN (SELECT id FROM kept ORDER BY hash(id), id LIMIT {SAMPLE}) ORDER BY id"
        ).fetchall()
        names = ("caption", "user", "day", "parameters", "links")
        sample = [dict(zip(names, row, strict=True)) for row in rows]
        for each in sample:
            each["links"] = each["links"].split(SEPARATOR) if each["links"] else []
            each["parameters"] = [flag for flag in each["parameters"].split("|") if flag]
        return sample

    def _words(self) -> list[list[Any]]:
        source = (
            f"(SELECT unnest(list_distinct(regexp_extract_all(lower(text), $word$({WORD})$word$))) AS word "
            "FROM logs.log l SEMI JOIN kept USING (id))"
        )
        skipped = ", ".join(f"'{word}'" for word in SKIPPED_WORDS)
        return self._top("word", source, f"word NOT IN ({skipped})")

    def _parameters(self, where: str) -> list[list[Any]]:
        source = (
            "(SELECT flag FROM (SELECT unnest(list_distinct(string_split(trim(flags, '|'), '|'))) AS flag "
            f"FROM logs.log l SEMI JOIN kept USING (id)) {where})"
        )
        return self._top("flag", source, "flag <> ''")

    def _lengths(self) -> list[list[Any]]:
        rows = self.connection.execute(
            "SELECT least(words // 10, 10) AS tens, count(*) FROM logs.log l SEMI JOIN kept USING (id) "
            "GROUP BY tens ORDER BY tens"
        ).fetchall()
        return [[f"{tens * 10} to {tens * 10 + 9}" if tens < 10 else "100 or more", times] for tens, times in rows]

    def _days(self) -> list[Any]:
        row = self.connection.execute(
            "SELECT min(day), max(day) FROM logs.log l SEMI JOIN kept USING (id) WHERE day <> ''"
        ).fetchone()
        return [day or "" for day in row or ("", "")]


@contextmanager
def selection(log: Path, filters: LogFilters, run: Path) -> Iterator[Selection]:
    """What the filters leave of the table in a file; the work on it lies in the run's folder until the block ends.

    Raises:
        ConfigError: a filter can't be read.
    """
    work = run / WORK
    remove(work)  # of a run that was killed
    work.mkdir(parents=True)
    connection = connect(work / "selection.duckdb", work / "spill")
    try:
        connection.execute(f"ATTACH '{str(log).replace(chr(39), chr(39) * 2)}' AS logs (READ_ONLY)")
        counts = apply_filters(connection, filters)
        yield Selection(connection, counts, _want(connection))
    finally:
        connection.close()
        remove(work)


def _want(connection: duckdb.DuckDBPyConnection) -> int:
    """Make the table `wanted` (place, id, link), each picture once, in the order of the messages; how many."""
    connection.execute(
        "CREATE TABLE links AS SELECT id, link, md5_number(regexp_replace(link, ?, '', 'g')) AS link_key FROM "
        "(SELECT id, unnest(string_split(links, chr(31))) AS link FROM logs.log l SEMI JOIN kept USING (id) "
        "WHERE links <> '')",
        [SIGNATURE],
    )
    connection.execute(
        "CREATE TABLE wanted AS SELECT (row_number() OVER (ORDER BY id, link) - 1) AS place, id, link FROM "
        "(SELECT min(id) AS id, arg_min(link, id) AS link FROM links GROUP BY link_key) ORDER BY place"
    )
    connection.execute("DROP TABLE links")
    row = connection.execute("SELECT count(*) FROM wanted").fetchone()
    return int(row[0]) if row else 0


def same_link(link: str) -> str:
    """The link without what changes from day to day."""
    return re.sub(SIGNATURE, "", link)
