"""What was taken into a folder, and what is half-way: a small database there, which outlives a kill at any moment."""

from __future__ import annotations

import csv
import io
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from lib_trainer.core.whole_files import write_text

NAME = ".promptlog.sqlite"
SOURCES = "sources.csv"
SCHEMA = """
CREATE TABLE IF NOT EXISTS taken (
    key TEXT PRIMARY KEY, file TEXT, bytes INTEGER, sha256 TEXT, caption TEXT, link TEXT
);
CREATE TABLE IF NOT EXISTS parts (key TEXT PRIMARY KEY, validator TEXT);
"""


@dataclass(frozen=True)
class Entry:
    """A picture that was taken: its name in the folder, and the digest of the caption that we wrote."""

    key: str
    file: str
    bytes: int
    sha256: str
    caption: str
    link: str


class Ledger:
    """The record of one folder; may be used by several threads.

    Raises:
        sqlite3.Error: what the disk said.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = Lock()
        self._database = sqlite3.connect(folder / NAME, check_same_thread=False, isolation_level=None)
        self._database.executescript(SCHEMA)

    def close(self) -> None:
        self._database.close()

    def entry(self, key: str) -> Entry | None:
        with self._lock:
            row = self._database.execute("SELECT * FROM taken WHERE key = ?", (key,)).fetchone()
        return Entry(*row) if row else None

    def add(self, entry: Entry) -> None:
        """Remember a picture, in place of what was known of its key."""
        values = (entry.key, entry.file, entry.bytes, entry.sha256, entry.caption, entry.link)
        with self._lock:
            self._database.execute("INSERT OR REPLACE INTO taken VALUES (?, ?, ?, ?, ?, ?)", values)
            self._database.execute("DELETE FROM parts WHERE key = ?", (entry.key,))

    def validator(self, key: str) -> str:
        """What tells whether the server still has the file of which a part is here; empty if nothing does."""
        with self._lock:
            row = self._database.execute("SELECT validator FROM parts WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else ""

    def begin_part(self, key: str, validator: str) -> None:
        with self._lock:
            self._database.execute("INSERT OR REPLACE INTO parts VALUES (?, ?)", (key, validator))

    def write_sources(self) -> None:
        """Say in `sources.csv` where each picture came from.

        Raises:
            OSError: what the disk said.
        """
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["file", "link", "bytes", "sha256"])
        with self._lock:
            rows = self._database.execute("SELECT file, link, bytes, sha256 FROM taken ORDER BY file")
            writer.writerows(rows)
        write_text(self._folder / SOURCES, text.getvalue())
