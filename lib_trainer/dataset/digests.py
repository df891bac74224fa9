"""Digests of the bytes of pictures, remembered by path, size and time so that a large folder is hashed only once."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lib_trainer.core.errors import OutputError
from lib_trainer.core.whole_files import write_text

HASHING_THREADS = 4
BLOCK_BYTES = 1 << 20
# A file that was written this shortly before it was hashed may change again without a change of its time.
SETTLED_NANOSECONDS = 2_000_000_000

Known = dict[str, tuple[int, int, str]]


def digest_index(cache: Path, folder: Path) -> Path:
    """Where the cache remembers the digests of a folder's pictures."""
    return cache / "digests" / f"{hashlib.sha256(str(folder).encode('utf-8')).hexdigest()[:16]}.json"


def picture_digests(paths: Sequence[Path], index: Path) -> dict[Path, str]:
    """The SHA-256 of each file's bytes; a file that can't be read any more is left out.

    `index` remembers path, size, time of change and digest; a missing or broken index means hashing again.

    Raises:
        OutputError: the index can't be written.
    """
    known = _read_index(index)
    with ThreadPoolExecutor(HASHING_THREADS) as pool:
        found = dict(zip(paths, pool.map(lambda path: _digest(path, known), paths), strict=True))
    digests = {path: entry[2] for path, entry in found.items() if entry is not None}
    settled = time.time_ns() - SETTLED_NANOSECONDS
    remembered = {str(path): entry for path, entry in found.items() if entry is not None and entry[1] < settled}
    if remembered != known:
        try:
            write_text(index, json.dumps(remembered))
        except OSError as error:
            raise OutputError(
                f"The cache file {index} can't be written ({error}); make room there or choose another cache folder."
            ) from error
    return digests


def _digest(path: Path, known: Known) -> tuple[int, int, str] | None:
    try:
        status = path.stat()
        size, changed, digest = known.get(str(path), (0, 0, ""))
        if digest and (size, changed) == (status.st_size, status.st_mtime_ns):
            return size, changed, digest
        content = hashlib.sha256()
        with path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                content.update(block)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns, content.hexdigest()


def _read_index(index: Path) -> Known:
    try:
        data = json.loads(index.read_text(encoding="utf-8"))
        return {str(path): (int(size), int(changed), str(digest)) for path, (size, changed, digest) in data.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
