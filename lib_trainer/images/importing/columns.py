"""Which columns of a table name a picture, hold it, or describe it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lib_trainer.core.errors import ConfigError

NAMES = ("file_name", "image_path", "filename", "file", "image", "path")
CAPTIONS = ("text", "caption", "prompt", "captions", "description")
TAGS = "tags"


@dataclass(frozen=True)
class Columns:
    """The names of a table's columns; empty where it has none of that kind."""

    picture: str
    caption: str
    tags: str


def find_columns(there: Sequence[str], picture: str, caption: str, table: str) -> Columns:
    """The columns that were asked for, or the first of the usual ones.

    Raises:
        ConfigError: a column was asked for that the table does not have.
    """
    for option, name in (("picture_column", picture), ("caption_column", caption)):
        if name and name not in there:
            raise ConfigError(f"'{option}' is {name!r}, and {table} has no such column; it has {', '.join(there)}.")
    return Columns(
        picture or next((name for name in NAMES if name in there), ""),
        caption or next((name for name in CAPTIONS if name in there), ""),
        TAGS if TAGS in there and caption != TAGS else "",
    )


def as_text(value: object) -> str:
    """A caption as text: a list of words is joined by commas, everything that is no text counts as none."""
    if isinstance(value, (list, tuple)):
        return ", ".join(item for item in value if isinstance(item, str))
    return value if isinstance(value, str) else ""
