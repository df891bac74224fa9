"""The captions of the folders that were looked at, in memory, each with the stamps of the files it came from."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath

from lib_trainer.core.configs import load
from lib_trainer.core.errors import OutputError
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.images.caption_history import CaptionHistory
from lib_trainer.images.captions import CAPTION_SUFFIXES, NO_CAPTION, read_captions
from lib_trainer.images.metadata import METADATA_FILE
from lib_trainer.images.options import CaptionOptions
from lib_trainer.images.wording.clip_pieces import MOST_TOKENS, ClipPieces
from lib_trainer.images.wording.rule import About
from lib_trainer.images.wording.word_index import WordIndex
from lib_trainer.ui.boundaries import Boundaries
from lib_trainer.ui.listings import Listing, Listings
from lib_trainer.ui.web import Refused

KEPT = 2  # folders in memory
WATCHED = (*CAPTION_SUFFIXES, METADATA_FILE)

Stamp = tuple[int, int]
Stamps = dict[str, Stamp]


@dataclass(frozen=True)
class Entry:
    """One picture's caption; `revision` is when another program changed it last, as the store counts."""

    number: int
    name: str
    picture: Path
    text: str
    source: str
    revision: int = 0

    @property
    def file(self) -> Path:
        """Where its caption belongs."""
        return self.picture.with_suffix(".caption" if self.source == ".caption" else ".txt")


class FolderCaptions:
    """The captions of one folder: what `search` looks into and rules change; see `refresh` for how they stay true."""

    def __init__(self, listing: Listing, options: CaptionOptions, history: CaptionHistory, pieces: ClipPieces) -> None:
        self.folder, self.options, self.history, self.pieces = listing.folder, options, history, pieces
        self.revision = 0
        usable = [picture for picture in listing.pictures if not picture["problem"]]
        paths = {picture["n"]: listing.folder / PurePosixPath(picture["file"]) for picture in usable}
        self._stamps = _stamps({path.parent for path in paths.values()})
        captions, _ = read_captions(listing.folder, list(paths.values()), options)
        self.entries = {
            picture["n"]: Entry(picture["n"], picture["file"], paths[picture["n"]], caption.text, caption.source)
            for picture, caption in zip(usable, captions, strict=True)
        }
        self.texts: Mapping[int, str] = {number: entry.text.casefold() for number, entry in self.entries.items()}
        self.names: Mapping[int, str] = {number: entry.name.casefold() for number, entry in self.entries.items()}
        self.numbers = {entry.name: number for number, entry in self.entries.items()}
        self.index = WordIndex(self.captions())

    def captions(self) -> Mapping[int, str]:
        """All captions by their numbers."""
        return {number: entry.text for number, entry in self.entries.items()}

    def tokens_of(self, number: int) -> int:
        """How many tokens a caption has."""
        return self.pieces.count(self.entries[number].text)

    def states(self) -> Mapping[str, Callable[[int], bool]]:
        """What `is:` can ask of a caption."""
        return {
            "empty": lambda number: not self.entries[number].text,
            "captioned": lambda number: bool(self.entries[number].text),
            "long": lambda number: self.tokens_of(number) > MOST_TOKENS,
            "file": lambda number: self.entries[number].source in CAPTION_SUFFIXES,
            "twice": lambda number: self._shared[self.entries[number].text.casefold()] > 1,
        }

    @cached_property
    def _shared(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for text in self.texts.values():
            counts[text] = counts.get(text, 0) + 1
        return counts

    def about(self, numbers: Sequence[int]) -> list[About]:
        """What rules may know of these pictures."""
        found = []
        for entry in (self.entries[number] for number in numbers):
            main = entry.file
            other = main.with_suffix(".txt" if main.suffix == ".caption" else ".caption")
            text = other.read_text(encoding="utf-8", errors="replace") if str(other) in self._stamps else ""
            found.append(About(entry.picture.stem, entry.picture.parent.name, " ".join(text.split())))
        return found

    def refresh(self, ours: Collection[Path] = ()) -> list[int]:
        """Read again what was changed on the disk since, `ours` by ourselves; the numbers of what is new."""
        now = _stamps({entry.picture.parent for entry in self.entries.values()})
        changed = {path for path, _ in now.items() ^ self._stamps.items()}
        self._stamps = now
        if not changed:
            return []
        self.revision += 1
        own = set(map(str, ours))
        listed = {str(Path(path).parent) for path in changed if Path(path).name == METADATA_FILE}
        numbers = [
            number for number, entry in self.entries.items()
            if any(_beside(entry.picture, suffix) in changed for suffix in CAPTION_SUFFIXES)
            or any(str(above) in listed for above in entry.picture.parents)
        ]  # fmt: skip
        return self._read_again(numbers, own)

    def _read_again(self, numbers: list[int], own: set[str]) -> list[int]:
        entries = [self.entries[number] for number in numbers]
        captions, _ = read_captions(self.folder, [entry.picture for entry in entries], self.options)
        texts, new = dict(self.texts), []
        for entry, caption in zip(entries, captions, strict=True):
            if (caption.text, caption.source) == (entry.text, entry.source):
                continue
            is_ours = any(_beside(entry.picture, suffix) in own for suffix in CAPTION_SUFFIXES)
            revision = entry.revision if is_ours else self.revision
            self.entries[entry.number] = replace(entry, text=caption.text, source=caption.source, revision=revision)
            texts[entry.number] = caption.text.casefold()
            self.index.put(entry.number, caption.text)
            new.append(entry.number)
        self.texts = texts
        self.__dict__.pop("_shared", None)
        return new

    def changed_outside(self, after: int) -> list[str]:
        """The files of the pictures whose captions another program changed after a revision."""
        return [entry.name for entry in self.entries.values() if entry.revision > after]

    def captioned(self) -> int:
        """How many pictures have a caption."""
        return sum(entry.source != NO_CAPTION and bool(entry.text) for entry in self.entries.values())


class CaptionStore:
    """The captions of the folders that were asked for last; whoever uses one holds `lock`."""

    def __init__(self, boundaries: Boundaries, listings: Listings, home: Path) -> None:
        self.lock = listings.lock
        self._boundaries, self._listings, self._home = boundaries, listings, home
        self._pieces = ClipPieces()
        self._kept: OrderedDict[Path, tuple[Listing, FolderCaptions]] = OrderedDict()

    @property
    def pieces(self) -> ClipPieces:
        """What counts tokens."""
        return self._pieces

    def of(self, run: RunDirectory) -> FolderCaptions:
        """The captions of the folder that a run looked at, as they are on the disk now.

        Raises:
            Refused: the run found nothing (yet), captions are not read from files, or the folder may not be touched.
            OutputError: the disk refuses.
        """
        listing = self._listings.of(run)
        if not self._boundaries.allows(listing.folder):
            raise Refused(f"{listing.folder} may not be changed from here.", 403)
        kept = self._kept.get(run.path)
        if kept is None or kept[0] is not listing:
            self._kept[run.path] = (listing, self._opened(run, listing))
        self._kept.move_to_end(run.path)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        found = self._kept[run.path][1]
        self.refresh(run)
        return found

    def refresh(self, run: RunDirectory, ours: Collection[Path] = ()) -> list[int]:
        """Bring a run's captions up to date, in its listing too; `ours` are the files that we wrote ourselves."""
        captions = self._kept[run.path][1]
        try:
            new = captions.refresh(ours)
            self._tell_listing(run, captions, new)
        except OSError as error:
            raise OutputError(f"{captions.folder} or {run.path} can't be used ({error}); check its rights.") from error
        return new

    def _opened(self, run: RunDirectory, listing: Listing) -> FolderCaptions:
        options: CaptionOptions = load(CaptionOptions, run.job()[1].get("captions", {}), "captions.")
        if options.source != "files":
            raise Refused(f"Captions are taken from the {options.source} here; set 'captions.source' to 'files'.", 409)
        for parent in {(listing.folder / PurePosixPath(picture["file"])).parent for picture in listing.pictures}:
            if ".." in parent.parts or not self._boundaries.allows(parent):
                raise Refused(f"{parent} may not be changed from here.", 403)
        opened = FolderCaptions(listing, options, CaptionHistory(self._home, listing.folder), self._pieces)
        self._kept[run.path] = (listing, opened)
        self._tell_listing(run, opened, opened.entries)
        return opened

    def _tell_listing(self, run: RunDirectory, captions: FolderCaptions, numbers: Iterable[int]) -> None:
        """Let the gallery show the same."""
        listing = self._listings.of(run)
        changed = {}
        for entry in (captions.entries[number] for number in numbers):
            picture = listing.pictures[entry.number]
            if (picture.get("caption"), picture.get("caption_source")) != (entry.text, entry.source):
                changed[entry.number] = {**picture, "caption": entry.text, "caption_source": entry.source}
        if changed:
            self._listings.change(run, changed)
        self._kept[run.path] = (self._listings.of(run), captions)


def _beside(picture: Path, suffix: str) -> str:
    return os.path.splitext(picture)[0] + suffix  # noqa: PTH122 - ten thousand times; a Path takes ten times as long


def _stamps(folders: Iterable[Path]) -> Stamps:
    """When each caption file was changed, and its size."""
    stamps: Stamps = {}
    for folder in folders:
        try:
            with os.scandir(folder) as found:
                for each in found:
                    if each.name.endswith(WATCHED):
                        stat = each.stat()
                        stamps[each.path] = (stat.st_mtime_ns, stat.st_size)
        except FileNotFoundError:
            continue
    return stamps
