"""What a prompt log looks like before it is read: its columns, and its first rows."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from lib_trainer.images.promptlog.files import csv_files
from lib_trainer.images.promptlog.rows import LogFile
from lib_trainer.ui.web import Refused, Reply, Request, as_json

if TYPE_CHECKING:
    from lib_trainer.ui.server import Server

SHOWN = 3  # rows
LONGEST = 200  # letters of a field
ENDINGS = (".csv", ".tsv", ".txt")


def columns(server: Server, request: Request) -> Reply:
    """The header and first rows of a file, or of the first one in a folder."""
    path = server.boundaries.chosen(request.query.get("path", ""))
    if not path.is_dir() and path.suffix.lower() not in ENDINGS:
        raise Refused(f"{path} is no prompt log; choose a .csv file.", 415)
    file = csv_files((path,))[0]
    server.boundaries.check(file)
    try:
        log = LogFile(file)
        rows = [[field[:LONGEST] for field in row] for row in islice(log.rows(), SHOWN)]
    except (OSError, UnicodeError) as error:
        raise Refused(f"{file} can't be read ({error}); check its rights.", 403) from error
    return as_json({"file": str(file), "encoding": log.encoding, "columns": log.header, "rows": rows})
