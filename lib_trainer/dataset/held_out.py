"""A share of the pictures that is measured instead of trained: the same whenever seed and pictures are the same.

One order decides for both sides, so none is on both; it is that of the contents, so copies of a file stay together.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lib_trainer.core.errors import DataError
from lib_trainer.dataset.concepts import sources
from lib_trainer.dataset.digests import digest_index, picture_digests
from lib_trainer.dataset.options import DatasetOptions
from lib_trainer.dataset.overrides import Overrides
from lib_trainer.dataset.prospects import Prospect

if TYPE_CHECKING:
    from lib_trainer.dataset.entries import Entry


def held_out(digests: Mapping[Path, str], share: float, seed: int) -> set[Path]:
    """The pictures that are kept aside: at least that share of the contents, by the digests of the files.

    Raises:
        DataError: no picture would be left to train on.
    """
    contents = sorted(set(digests.values()), key=lambda digest: hashlib.sha256(f"{seed}/{digest}".encode()).digest())
    count = math.ceil(round(share * len(contents), 9))  # 0.1 of 30 is 3, not 3.0000000000000004
    if count == len(contents):
        raise DataError(
            f"'validation.share' is {share:g}, and {'the only picture' if count == 1 else f'all {count} pictures'} "
            "would be kept aside: nothing is left to train on. Set it to 0, or add pictures."
        )
    kept = set(contents[:count])
    return {path for path, digest in digests.items() if digest in kept}


def divided(entries: Sequence[Entry], share: float, seed: int) -> tuple[list[Entry], list[Entry]]:
    """The entries to train on, and those that are kept aside, each picture once and with nothing varied.

    Raises:
        DataError: as `held_out`.
    """
    kept = held_out({entry.path: entry.view.digest for entry in entries}, share, seed)
    aside = {entry.path: entry for entry in reversed(entries) if entry.path in kept}  # in its first resolution
    plain = [
        replace(aside[path], repeats=1, mask=None, crops=(), rating=1.0, own=Overrides())
        for path in sorted(aside, key=lambda path: path.parts)
    ]
    return [entry for entry in entries if entry.path not in kept], plain


def trained(
    pictures: Sequence[Prospect], options: DatasetOptions, cache: Path, share: float, seed: int
) -> list[Prospect]:
    """What `divided` would leave to train on, of pictures that were only looked at.

    Raises:
        DataError: as `held_out`.
        OutputError: the cache can't be written.
    """
    digests: dict[Path, str] = {}
    for source in sources(options):
        paths = list(dict.fromkeys(picture.path for picture in pictures if picture.concept == source.concept))
        if paths:
            digests |= picture_digests(paths, digest_index(options.cache or cache, source.options.folder))
    kept = held_out(digests, share, seed)
    return [picture for picture in pictures if picture.path not in kept]
