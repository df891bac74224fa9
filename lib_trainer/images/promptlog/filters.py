"""The filters of a prompt log, in their order, and how many messages are left after each."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lib_trainer.core.errors import ConfigError
from lib_trainer.images.promptlog.days import told_day
from lib_trainer.images.promptlog.messages import wanted_flag
from lib_trainer.images.promptlog.options import LogFilters

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Condition:
    """What a filter asks of a message, as SQL with its values; `title` says it to the user."""

    title: str
    sql: str
    values: tuple[str | int | float, ...] = ()


@dataclass(frozen=True)
class Count:
    """How many messages are left after a filter."""

    title: str
    left: int


def _has_prompt(_: LogFilters) -> Condition:
    return Condition("With a prompt", "prompt <> ''")


def _drop_links(filters: LogFilters) -> Condition | None:
    return Condition("Not beginning with a link", "NOT starts_with_link") if filters.drop_links else None


def _has_words(_: LogFilters) -> Condition:
    return Condition("With words besides parameters", "text <> ''")


def _flags(filters: LogFilters) -> Condition | None:
    flags = [flag for flag in filters.flags if flag.strip()]
    sql = " AND ".join(["contains(flags, ?)"] * len(flags))
    return Condition(f"With {_said(flags)}", sql, tuple(map(wanted_flag, flags))) if flags else None


def _without_flags(filters: LogFilters) -> Condition | None:
    flags = [flag for flag in filters.without_flags if flag.strip()]
    sql = " AND ".join(["NOT contains(flags, ?)"] * len(flags))
    return Condition(f"Without {_said(flags)}", sql, tuple(map(wanted_flag, flags))) if flags else None


def _upscaled(filters: LogFilters) -> Condition | None:
    return Condition("Upscaled or single pictures", "chosen") if filters.upscaled else None


def _days(filters: LogFilters) -> Condition | None:
    since = told_day("filters.since", filters.since)
    until = told_day("filters.until", filters.until)
    if since and until and until < since:
        raise ConfigError(f"'filters.until' is {until}, before 'filters.since' ({since}); exchange them.")
    if not since and not until:
        return None
    title = f"From {since or 'the beginning'} to {until or 'the end'}"
    return Condition(title, "day <> '' AND day >= ? AND day <= ?", (since, until or "9999-12-31"))


def _words(filters: LogFilters) -> Condition | None:
    if not filters.words:
        return None
    said = f"Words like {filters.words!r}"
    return Condition(said, "regexp_matches(text, ?, 'i')", (_pattern("filters.words", filters.words),))


def _without_words(filters: LogFilters) -> Condition | None:
    if not filters.without_words:
        return None
    pattern = _pattern("filters.without_words", filters.without_words)
    return Condition(f"No words like {pattern!r}", "NOT regexp_matches(text, ?, 'i')", (pattern,))


def _lengths(filters: LogFilters) -> Condition | None:
    fewest, most = filters.fewest_words or 0, filters.most_words
    if most is not None and most < fewest:
        raise ConfigError(f"'filters.most_words' is {most}, below 'filters.fewest_words' ({fewest}); exchange them.")
    if not filters.fewest_words and most is None:
        return None
    title = f"At least {fewest} words" if most is None else f"{fewest} to {most} words"
    return Condition(title, "words >= ? AND words <= ?", (fewest, 2**31 - 1 if most is None else most))


def _reactions(filters: LogFilters) -> Condition | None:
    least = filters.least_reactions
    return Condition(f"At least {least} reactions", "reactions >= ?", (least,)) if least else None


def _users(filters: LogFilters) -> Condition | None:
    """A user's place is the share of users who wrote less; needs the table `kept` of what is left so far."""
    low, high = filters.users_from, filters.users_to
    if high < low:
        raise ConfigError(f"'filters.users_to' is {high:g}, below 'filters.users_from' ({low:g}); exchange them.")
    if low == 0 and high == 1:
        return None
    sql = """author IN (SELECT author FROM (
        SELECT author, (rank() OVER (ORDER BY messages) - 1) / count(*) OVER () AS place
        FROM (SELECT author, count(*) AS messages FROM kept GROUP BY author)
    ) WHERE place >= ? AND place <= ?)"""
    return Condition(f"Users from {low:g} to {high:g} by activity", sql, (low, high))


def _one_per_prompt(filters: LogFilters) -> Condition | None:
    """Needs the table `kept`."""
    sql = "id IN (SELECT min(id) FROM kept GROUP BY prompt_key)"
    return Condition("One message per prompt", sql) if filters.one_per_prompt else None


Maker = Callable[[LogFilters], "Condition | None"]
# In the order in which they are used. Those of the second table look at all that is left, not at one message.
FILTERS: dict[str, Maker] = {
    "prompt": _has_prompt,
    "links": _drop_links,
    "empty": _has_words,
    "flags": _flags,
    "without_flags": _without_flags,
    "upscaled": _upscaled,
    "days": _days,
    "words": _words,
    "without_words": _without_words,
    "lengths": _lengths,
    "reactions": _reactions,
}
WHOLE_FILTERS: dict[str, Maker] = {"users": _users, "one_per_prompt": _one_per_prompt}


def conditions(table: dict[str, Maker], filters: LogFilters) -> list[Condition]:
    """What the filters of a table ask, those left out that are off.

    Raises:
        ConfigError: an option can't be read.
    """
    return [made for make in table.values() if (made := make(filters)) is not None]


def apply_filters(connection: duckdb.DuckDBPyConnection, filters: LogFilters) -> list[Count]:
    """Make the table `kept` (id, author, prompt_key) of the messages in `logs.log` that fit; the counts on the way.

    Raises:
        ConfigError: an option can't be read.
    """
    single, whole = conditions(FILTERS, filters), conditions(WHOLE_FILTERS, filters)
    counts = _count(connection, single)
    values = [value for condition in single for value in condition.values]
    everything = " AND ".join(f"({condition.sql})" for condition in single)
    connection.execute(
        "CREATE TABLE kept AS SELECT id, author, md5_number(lower(text)) AS prompt_key FROM logs.log "
        f"WHERE {everything}",
        values,
    )
    for condition in whole:
        connection.execute(f"CREATE TABLE fewer AS SELECT * FROM kept WHERE {condition.sql}", condition.values)
        connection.execute("DROP TABLE kept")
        connection.execute("ALTER TABLE fewer RENAME TO kept")
        counts.append(Count(condition.title, _one(connection, "SELECT count(*) FROM kept")))
    return counts


def _count(connection: duckdb.DuckDBPyConnection, single: list[Condition]) -> list[Count]:
    """All conditions on single messages, each with those before it, in one pass."""
    counted, values = ["count(*)"], []
    for number in range(1, len(single) + 1):
        together = " AND ".join(f"({condition.sql})" for condition in single[:number])
        counted.append(f"count(*) FILTER (WHERE {together})")
        values += [value for condition in single[:number] for value in condition.values]
    row = connection.execute(f"SELECT {', '.join(counted)} FROM logs.log", values).fetchone()
    titles = ["Messages read", *(condition.title for condition in single)]
    return [Count(title, int(left)) for title, left in zip(titles, row or (), strict=True)]


def _one(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = connection.execute(sql).fetchone()
    return int(row[0]) if row else 0


def _said(flags: list[str]) -> str:
    return ", ".join(f"--{flag.strip().lstrip('-—–')}" for flag in flags)


def _pattern(option: str, text: str) -> str:
    """The expression, once Python can read it; the engine of the table takes all but looking around and back.

    Raises:
        ConfigError: it is none.
    """
    try:
        re.compile(text)
    except re.error as error:
        raise ConfigError(f"'{option}' is {text!r}, no regular expression ({error}); cat|dog is one.") from error
    if re.search(r"\(\?(?:[=!]|<[=!])|\\[1-9]", text):
        raise ConfigError(f"'{option}' is {text!r}; looking around (?=...) and back \\1 is not possible here.")
    return text
