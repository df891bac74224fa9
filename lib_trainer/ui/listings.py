"""What an `inspect` run found in a folder: read once, and kept in memory as long as its file stays the same."""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Any

from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.core.whole_files import write_text
from lib_trainer.ui.web import Refused

LISTING_FILE = "listing.json"
BINNED = "binned"  # of a picture that has gone into the bin since: its entry there
KEPT = 4  # listings in memory; one of 10,000 pictures takes about 10 MB

Picture = dict[str, Any]
Stamp = tuple[int, int]


@dataclass(frozen=True)
class Listing:
    """The folder that was looked through, and what was found there, by `n`."""

    folder: Path
    pictures: list[Picture]

    def picture(self, n: int) -> Picture:
        """One picture.

        Raises:
            Refused: there are fewer (404).
        """
        if not 0 <= n < len(self.pictures):
            raise Refused(f"There is no picture {n}; the folder has {len(self.pictures)}. Look at it again.", 404)
        return self.pictures[n]

    def found(self, wanted: str) -> list[Picture]:
        """The pictures with a text in their path or caption; after `problem:`, those with a problem or a warning.

        What has gone into the bin since is left out.
        """
        text = wanted.strip().casefold()
        here = [each for each in self.pictures if not each.get(BINNED)]
        if not text:
            return here
        troubled = text.startswith("problem:")
        text = text.removeprefix("problem:").strip()
        among = [each for each in here if each["problem"] or each["warnings"]] if troubled else here
        return [each for each in among if text in _searched(each, troubled)]


def _searched(picture: Picture, troubled: bool) -> str:
    said = [picture["problem"], *picture["warnings"]] if troubled else []
    return "\n".join([picture["file"], picture["caption"] or "", *said]).casefold()


class Listings:
    """The listings that were asked for last; `lock` is held by whoever changes one."""

    def __init__(self) -> None:
        self.lock = RLock()
        self._read: OrderedDict[Path, tuple[Stamp, Listing]] = OrderedDict()

    def of(self, run: RunDirectory) -> Listing:
        """What a run found.

        Raises:
            Refused: it has found nothing yet (409), or its listing is damaged (500).
        """
        file = run.path / LISTING_FILE
        with self.lock:
            try:
                stamp = _stamp(file)
                kept = self._read.get(file)
                listing = kept[1] if kept and kept[0] == stamp else _load(file)
            except FileNotFoundError as error:
                said = "The folder has not been looked through yet; wait for the end, or start again."
                raise Refused(said, 409) from error
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise Refused(f"{file} can't be read ({error}); look through the folder again.", 500) from error
            self._keep(file, stamp, listing)
            return listing

    def change(self, run: RunDirectory, changed: dict[int, Picture]) -> None:
        """Put other pictures in the places of some, also in the run's file.

        Raises:
            OSError: the disk refuses; the listing stays as it was.
        """
        file = run.path / LISTING_FILE
        with self.lock:
            listing = self.of(run)
            pictures = [changed.get(n, picture) for n, picture in enumerate(listing.pictures)]
            write_text(file, json.dumps({"folder": str(listing.folder), "pictures": pictures}))
            self._keep(file, _stamp(file), Listing(listing.folder, pictures))

    def _keep(self, file: Path, stamp: Stamp, listing: Listing) -> None:
        self._read[file] = (stamp, listing)
        self._read.move_to_end(file)
        while len(self._read) > KEPT:
            self._read.popitem(last=False)


def _stamp(file: Path) -> Stamp:
    stat = file.stat()
    return stat.st_mtime_ns, stat.st_size


def _load(file: Path) -> Listing:
    data = json.loads(file.read_text(encoding="utf-8"))
    return Listing(Path(data["folder"]), [_picture(n, entry) for n, entry in enumerate(data["pictures"])])


def _picture(n: int, entry: Picture) -> Picture:
    return {"problem": "", "warnings": [], "caption": "", **entry, "n": n, "file": entry["file"]}
