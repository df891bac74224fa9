"""Rows on their way into a DuckDB table: a file of some hundred thousand at a time, so that none wait in memory."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    import duckdb

ROWS = 100_000
MEMORY = "160MB"  # of DuckDB's own; Python and its libraries need as much again


class ChunkedTable:
    """A table that is filled row by row; `columns` are names and types, values hold neither tabs nor line breaks."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, table: str, columns: dict[str, str], folder: Path
    ) -> None:
        self._connection, self._table, self._columns = connection, table, columns
        self._path = folder / f"{table}.tsv"
        self._file: TextIO | None = None
        self._waiting = 0
        described = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        connection.execute(f"CREATE TABLE {table} ({described})")

    def add(self, values: Iterable[str]) -> None:
        """Add a row."""
        if self._file is None:
            self._file = self._path.open("w", encoding="utf-8", newline="\n")
        self._file.write("\t".join(values))
        self._file.write("\n")
        self._waiting += 1
        if self._waiting == ROWS:
            self.flush()

    def flush(self) -> None:
        """Bring what waits into the table."""
        if self._file is None:
            return
        self._file.close()
        self._file, self._waiting = None, 0
        types = ", ".join(f"'{name}': '{kind}'" for name, kind in self._columns.items())
        self._connection.execute(
            f"INSERT INTO {self._table} SELECT * FROM read_csv(?, columns = {{{types}}}, header = false, delim = '\t', "
            "quote = '', escape = '', auto_detect = false, nullstr = '\x01', max_line_size = 8000000, "
            "buffer_size = 16000000)",
            [str(self._path)],
        )
        self._path.unlink()


def connect(file: Path, spill: Path) -> duckdb.DuckDBPyConnection:
    """A DuckDB database in a file; what does not fit into its share of the memory goes into the folder `spill`."""
    import duckdb

    return duckdb.connect(
        str(file),
        config={
            "memory_limit": MEMORY,
            "threads": 2,
            "temp_directory": str(spill),
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    )
