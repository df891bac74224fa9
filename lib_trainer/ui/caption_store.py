"""The captions of the folders that were looked at, in memory, each with the stamps of the files it came from."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath

from lib_trainer.core.configs import load
from lib_trainer.core.errors import OutputError
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.images.caption_concerns import with_caption_concerns
from lib_trainer.images.caption_history import CaptionHistory
from lib_trainer.images.captions import CAPTION_SUFFIXES, NO_CAPTION, read_captions
from lib_trainer.images.metadata import METADATA_FILE
from lib_trainer.images.options import CaptionOptions
from lib_trainer.images.rewording import caption_file
from lib_trainer.images.wording.clip_pieces import MOST_TOKENS, ClipPieces
from lib_trainer.images.wording.spelling import Spelling
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
        return caption_file(self.picture, self.source)


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
        self._tokens: dict[int, int] = {}
        self._folders = {entry.picture.parent for entry in self.entries.values()}
        self._beside: dict[str, list[int]] = {}
        for number, entry in self.entries.items():
            for suffix in CAPTION_SUFFIXES:
                self._beside.setdefault(_beside(entry.picture, suffix), []).append(number)

    def captions(self) -> Mapping[int, str]:
        """All captions by their numbers."""
        return {number: entry.text for number, entry in self.entries.items()}

    def tokens_of(self, number: int) -> int:
        """How many tokens a caption has."""
        if number not in self._tokens:
            self._tokens[number] = self.pieces.count(self.entries[number].text)
        return self._tokens[number]

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
    def spelling(self) -> Spelling:
        """What is known of words, by the captions as they are now."""
        return Spelling((entry.text for entry in self.entries.values()), self.pieces)

    @cached_property
    def _shared(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for text in self.texts.values():
            counts[text] = counts.get(text, 0) + 1
        return counts

    def refresh(self, ours: Collection[Path] | None = None) -> list[int]:
        """Read again what was changed on the disk since, or what we wrote ourselves; the numbers of what is new."""
        if ours is None:
            now = _stamps(self._folders)
            changed = {path for path, _ in now.items() ^ self._stamps.items()}
        else:
            changed = set(map(str, ours))
            kept = {path: stamp for path, stamp in self._stamps.items() if path not in changed}
            now = {**kept, **{path: stamp for path in changed if (stamp := _stamp(path))}}
        self._stamps = now
        if not changed:
            return []
        self.revision += ours is None
        listed = {str(Path(path).parent) for path in changed if Path(path).name == METADATA_FILE}
        numbers = {number for path in changed for number in self._beside.get(path, ())}
        if listed:
            entries = self.entries.items()
            numbers.update(n for n, one in entries if any(str(above) in listed for above in one.picture.parents))
        return self._read_again(sorted(numbers), ours is not None)

    def is_as_read(self, file: Path) -> bool:
        """Whether a caption file is the one that was read, by its stamp."""
        return _stamp(str(file)) == self._stamps.get(str(file))

    def _read_again(self, numbers: list[int], is_ours: bool) -> list[int]:
        entries = [self.entries[number] for number in numbers]
        captions, _ = read_captions(self.folder, [entry.picture for entry in entries], self.options)
        texts, new = dict(self.texts), []
        for entry, caption in zip(entries, captions, strict=True):
            if (caption.text, caption.source) == (entry.text, entry.source):
                continue
            revision = entry.revision if is_ours else self.revision
            self.entries[entry.number] = replace(entry, text=caption.text, source=caption.source, revision=revision)
            texts[entry.number] = caption.text.casefold()
            self.index.put(entry.number, caption.text)
            self._tokens.pop(entry.number, None)
            new.append(entry.number)
        self.texts = texts
        for stale in ("_shared", "spelling"):
            self.__dict__.pop(stale, None)
        return new

    def captioned_by(self, file: Path) -> list[int]:
        """The numbers of the pictures that a caption file stands beside."""
        return self._beside.get(str(file), [])

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

    def of(self, run: RunDirectory, look: bool = True) -> FolderCaptions:
        """The captions of the folder that a run looked at; as they are on the disk now, if we `look`.

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
        if look:
            self.refresh(run)
        return found

    def refresh(self, run: RunDirectory, ours: Collection[Path] | None = None) -> list[int]:
        """Bring a run's captions up to date, in its listing too; `ours` are files that we wrote, and all to look at."""
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
                said = with_caption_concerns(picture["warnings"], entry.text, entry.source)
                told = {"caption": entry.text, "caption_source": entry.source, "warnings": said}
                changed[entry.number] = {**picture, **told}
        if changed:
            self._listings.change(run, changed)
        self._kept[run.path] = (self._listings.of(run), captions)


def _beside(picture: Path, suffix: str) -> str:
    return os.path.splitext(picture)[0] + suffix  # noqa: PTH122 - ten thousand times; a Path takes ten times as long


def _stamp(path: str) -> Stamp | None:
    try:
        stat = os.stat(path)  # noqa: PTH116 - as above
    except FileNotFoundError:
        return None
    return stat.st_mtime_ns, stat.st_size


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
