"""Pictures that lie in a folder of the user's already, found by the names of their files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from lib_trainer.images.promptlog.chunks import ChunkedTable
from lib_trainer.images.promptlog.fetching import Part
from lib_trainer.images.promptlog.outcomes import NotTaken
from lib_trainer.images.promptlog.selection import Wanted
from lib_trainer.images.suffixes import PICTURE_SUFFIXES

if TYPE_CHECKING:
    import duckdb

AT_ONCE = 500
ODD = "\t\n\r\0"


def list_folder(connection: duckdb.DuckDBPyConnection, folder: Path, work: Path) -> int:
    """Make the table `local` (name, path) of all pictures in a folder; how many names stand there more than once."""
    table = ChunkedTable(connection, "listed", {"name": "VARCHAR", "path": "VARCHAR"}, work)
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            path = Path(place, name)
            if path.suffix.lower() in PICTURE_SUFFIXES and _can_be_listed(str(path)):
                table.add((name.casefold(), str(path)))
    table.flush()
    connection.execute(
        "CREATE TABLE local AS SELECT name, min(path) AS path, count(*) AS times FROM listed GROUP BY name"
    )
    row = connection.execute("SELECT count(*) FROM local WHERE times > 1").fetchone()
    return int(row[0]) if row else 0


def own_name(link: str) -> str:
    """The name under which a picture's file would lie in a folder."""
    try:
        path = urlsplit(link).path if link.lower().startswith(("http://", "https://")) else link
    except ValueError:
        path = link
    return PurePosixPath(unquote(path).replace("\\", "/")).name.casefold()


def located(connection: duckdb.DuckDBPyConnection, wanted: Iterator[Wanted]) -> Iterator[Wanted]:
    """The same pictures with the files in which they lie, where they do."""
    while some := list(islice(wanted, AT_ONCE)):
        names = list({own_name(each.link) for each in some})
        rows = connection.execute("SELECT name, path FROM local WHERE name IN (SELECT unnest(?))", [names]).fetchall()
        found = {name: Path(path) for name, path in rows}
        yield from (replace(each, source=found.get(own_name(each.link))) for each in some)


def copy_local(wanted: Wanted, part: Part) -> None:
    """Copy a picture's file into its part.

    Raises:
        NotTaken: it is not there, or can't be read.
        OSError: the part can't be written.
    """
    if wanted.source is None:
        raise NotTaken("no file of its name is in the folder")
    try:
        file = wanted.source.open("rb")
    except OSError as error:
        raise NotTaken(f"its file can't be read ({error.strerror})") from error
    with file, part.path.open("wb") as target:
        shutil.copyfileobj(file, target, 1 << 20)


def _can_be_listed(path: str) -> bool:
    """Whether a path is whole text on one line, as the table takes it."""
    return not any(sign in path for sign in ODD) and not any("\udc80" <= sign <= "\udfff" for sign in path)
