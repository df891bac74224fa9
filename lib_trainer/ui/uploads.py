"""Which files may be dropped onto the page, and how large they may be."""

from __future__ import annotations

from pathlib import PurePath

PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".avif", ".bmp", ".tif", ".tiff", ".gif")
TEXTS = (".txt", ".caption", ".jsonl")
ARCHIVES = (".zip", ".parquet", ".csv", ".json")  # what is brought in before it can be looked at
MOST_BYTES = 200_000_000
MOST_ARCHIVE_BYTES = 20_000_000_000


def is_archive(name: str) -> bool:
    """Whether a file of that name is brought in first."""
    return PurePath(name).suffix.lower() in ARCHIVES


def most_bytes(name: str) -> int:
    """The largest file of that name that is taken."""
    return MOST_ARCHIVE_BYTES if is_archive(name) else MOST_BYTES
