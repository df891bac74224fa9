"""The day in the dates that chat exports hold, as `2023-05-31`."""

from __future__ import annotations

import re
from datetime import date

from lib_trainer.core.errors import ConfigError

ISO = re.compile(r"\s*(\d{4})-(\d\d)-(\d\d)")
NAMED = re.compile(r"\s*(\d{1,2})[- ]([A-Za-z]{3})[a-z]*[- ](\d{4}|\d\d)\b")
SLASHES = re.compile(r"\s*(\d{1,2})/(\d{1,2})/(\d{4}|\d\d)\b")
DOTS = re.compile(r"\s*(\d{1,2})\.(\d{1,2})\.(\d{4})\b")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def day_of(text: str) -> str:
    """The day, or nothing where there is none; with slashes the month comes first, unless it can't be one."""
    if match := ISO.match(text):
        return _day(*match.groups())
    if match := NAMED.match(text):
        month = match[2].lower()
        return _day(match[3], str(MONTHS.index(month) + 1), match[1]) if month in MONTHS else ""
    if match := SLASHES.match(text):
        month, day = (match[1], match[2]) if int(match[1]) <= 12 else (match[2], match[1])
        return _day(match[3], month, day)
    if match := DOTS.match(text):
        return _day(match[3], match[2], match[1])
    return ""


def told_day(name: str, text: str) -> str:
    """The day that an option names, or nothing where it is empty.

    Raises:
        ConfigError: it names none.
    """
    day = day_of(text) if not text.strip() or ISO.match(text) else ""
    if text.strip() and not day:
        raise ConfigError(f"'{name}' is {text!r}; it must be a day such as 2023-05-31, or empty.")
    return day


def _day(year: str, month: str, day: str) -> str:
    try:
        return date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day)).isoformat()
    except ValueError:
        return ""
