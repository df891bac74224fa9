"""The bin beside a folder of pictures: a picture goes there with its captions and mask, and can come back."""

from __future__ import annotations

import errno
import filecmp
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from lib_trainer.core.errors import DataError, OutputError
from lib_trainer.core.file_lock import file_lock
from lib_trainer.core.whole_files import whole_file
from lib_trainer.images.bin_journal import (
    JOURNAL,
    LOCK,
    MOVED,
    MOVING,
    RESTORED,
    RESTORING,
    Entry,
    Journal,
    Piece,
    bin_folder,
)
from lib_trainer.images.captions import CAPTION_SUFFIXES
from lib_trainer.images.suffixes import OTHER_PICTURE_SUFFIXES, PICTURE_SUFFIXES

WAIT_SECONDS = 20.0
COMPANIONS = (*CAPTION_SUFFIXES, ".yaml", ".npz")  # captions, EveryDream's side file, kohya's cached latents
ALL_PICTURES = PICTURE_SUFFIXES + OTHER_PICTURE_SUFFIXES


@dataclass(frozen=True)
class Failure:
    """A picture that stays where it is, and why."""

    file: str
    reason: str


@dataclass(frozen=True)
class Moved:
    """What was moved, picture by picture, and what was not."""

    entries: list[Entry] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)


def is_bin(folder: Path) -> bool:
    """Whether a folder is a bin of ours, whose pictures nobody wants."""
    return (folder / JOURNAL).is_file() or (folder / LOCK).is_file()


def masks_folder(folder: Path) -> Path:
    """Where masks of a folder's pictures lie if nobody says otherwise."""
    return folder.parent / f"{folder.name}-masks"


def move_to_bin(folder: Path, files: Sequence[str], reason: str, masks: Path | None = None) -> Moved:
    """Move pictures (paths in `folder`, with /) into its bin, each with its caption files and its mask.

    A picture goes whole or not at all; one that can't go is named and the others go on. A caption file that another
    picture shares stays as long as that picture does. `masks` is the folder of masks, else `FOLDER-masks`.

    Raises:
        DataError: there is no such folder.
        OutputError: the bin can't be made or its journal not be written; nothing was moved.
    """
    if not folder.is_dir():
        raise DataError(f"The folder {folder} does not exist; choose another.")
    wanted = list(dict.fromkeys(files))
    problems = {file: _objection(folder, file) for file in wanted}
    failures = [Failure(file, problem) for file, problem in problems.items() if problem]
    going = [file for file in wanted if not problems[file]]
    if not going:
        return Moved([], failures)
    with _ours(folder) as journal:
        sources = list(_with_companions(folder, going, masks or masks_folder(folder)))
        planned = journal.planned(sources, reason)
        journal.begin(planned)
        done = _move(journal, planned, failures)
    return Moved(done, failures)


def restore(folder: Path, entry_ids: Sequence[str]) -> Moved:
    """Bring pictures back from the bin of `folder` to where they were, with all that went along.

    Raises:
        OutputError: the journal can't be read or written; nothing was moved.
    """
    failures: list[Failure] = []
    if not bin_folder(folder).is_dir():
        return Moved([], [Failure(entry_id, "it does not lie in the bin (any more)") for entry_id in entry_ids])
    with _ours(folder) as journal:
        lying = {entry.id: entry for entry in journal.entries() if entry.state == MOVED}
        chosen = []
        for entry_id in dict.fromkeys(entry_ids):
            entry = lying.get(entry_id)
            problem = _in_the_way(entry) if entry else "it does not lie in the bin (any more)"
            if entry is None or problem:
                failures.append(Failure(entry.file if entry else entry_id, problem))
            else:
                chosen.append(entry)
        if not chosen:
            return Moved([], failures)
        journal.note(chosen, RESTORING)
        done = []
        for entry in chosen:
            try:
                _bring_back(journal, entry)
                done.append(entry)
            except OSError as error:
                journal.note([entry], MOVED)
                failures.append(Failure(entry.file, f"it can't be moved back ({error.strerror or error})"))
    return Moved(done, failures)


def binned(folder: Path) -> list[Entry]:
    """What lies in the bin of `folder`, oldest first; what a kill left half done is put right before.

    Raises:
        OutputError: the journal can't be read, or what was left half done can't be put right.
    """
    entries = Journal(folder).entries()
    if any(entry.state in (MOVING, RESTORING) for entry in entries):
        with _ours(folder) as journal:
            entries = journal.entries()
    return [entry for entry in entries if entry.state == MOVED and os.path.lexists(entry.picture)]


@contextmanager
def _ours(folder: Path) -> Iterator[Journal]:
    """The journal, while nobody else moves anything; what was left half done is put right."""
    journal = Journal(folder)
    try:
        if journal.place.exists() and not is_bin(journal.place) and any(journal.place.iterdir()):
            raise OutputError(f"The bin would be {journal.place}, which holds other files; rename that folder.")
        journal.place.mkdir(exist_ok=True)
        with file_lock(journal.place / LOCK, WAIT_SECONDS) as free:
            if not free:
                raise OutputError(f"Another program moves pictures to or from {journal.place}; try again in a moment.")
            for entry in journal.entries():
                if entry.state in (MOVING, RESTORING):
                    _bring_back(journal, entry)
            yield journal
    except OSError as error:
        raise OutputError(f"The bin {journal.place} can't be used ({error}); check the folder's rights.") from error


def _objection(folder: Path, file: str) -> str:
    """Why a picture can't go into the bin, or nothing."""
    path = PurePosixPath(file)
    if path.is_absolute() or ".." in path.parts or "\0" in file or ("\\" in file and os.sep == "\\"):
        return "it does not lie in the folder"
    here = folder / path
    if path.suffix.lower() not in ALL_PICTURES or (os.path.lexists(here) and here.is_dir()):
        return "it is no picture"
    return "" if os.path.lexists(here) else "it is not there any more"


def _with_companions(folder: Path, files: Sequence[str], masks: Path) -> Iterator[tuple[str, list[Path]]]:
    """Each picture with all files that go with it; of those that share them the last that goes takes them."""
    staying = Counter(_stem(folder / file) for file in _neighbours(folder, files))
    for file in files:
        picture = folder / file
        staying[_stem(picture)] -= 1
        along = [] if staying[_stem(picture)] else [picture.with_suffix(suffix) for suffix in COMPANIONS]
        mask = masks / PurePosixPath(file).parent
        along += [] if staying[_stem(picture)] else [mask / f"{picture.stem}{suffix}" for suffix in PICTURE_SUFFIXES]
        yield file, [picture, *filter(os.path.isfile, along)]  # Path.is_file() raises where a name is too long


def _neighbours(folder: Path, files: Sequence[str]) -> Iterator[str]:
    """All pictures in the folders of these pictures."""
    for place in dict.fromkeys(PurePosixPath(file).parent for file in files):
        for path in (folder / place).iterdir():
            if path.suffix.lower() in ALL_PICTURES:
                yield (place / path.name).as_posix()


def _stem(path: Path) -> Path:
    return path.with_suffix("")


def _move(journal: Journal, planned: Sequence[Entry], failures: list[Failure]) -> list[Entry]:
    done = []
    for entry in planned:
        try:
            for piece in entry.pieces:
                _shift(piece.origin, piece.place)
        except OSError as error:
            failures.append(Failure(entry.file, f"it can't be moved ({error.strerror or error})"))
            _bring_back(journal, entry)
            continue
        journal.note([entry], MOVED)
        done.append(entry)
    return done


def _in_the_way(entry: Entry) -> str:
    taken = [piece.origin for piece in entry.pieces if os.path.lexists(piece.origin)]
    return f"{taken[0]} is there again; move it away first" if taken else ""


def _bring_back(journal: Journal, entry: Entry) -> None:
    """Move what lies in the bin to where it was, in whatever state a move was left; nothing is overwritten."""
    for piece in entry.pieces:
        if not os.path.lexists(piece.place):
            continue
        if not os.path.lexists(piece.origin):
            _shift(piece.place, piece.origin)
        elif piece.origin.is_file() and filecmp.cmp(piece.place, piece.origin, shallow=False):
            piece.place.unlink()  # copied over the border of a disk, and killed before the first one went
    left = [piece for piece in entry.pieces if os.path.lexists(piece.place)]
    if left:
        journal.note([entry], MOVED)  # something has taken a place; it can be restored later
        return
    _tidy(journal, entry.pieces)
    journal.note([entry], RESTORED)


def _tidy(journal: Journal, pieces: Sequence[Piece]) -> None:
    """Remove the folders of an entry that are empty now."""
    for place in sorted({piece.place.parent for piece in pieces}, reverse=True):
        if place != journal.place and place.is_dir() and not any(place.iterdir()):
            place.rmdir()


def _shift(source: Path, target: Path) -> None:
    """Move one file to where nothing is; over the border of a disk it is copied whole before the first one goes."""
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, "something is there already", str(target))
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        source.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV or source.is_symlink():
            raise
        with source.open("rb") as opened, whole_file(target) as copy:
            shutil.copyfileobj(opened, copy)
        shutil.copystat(source, target)
        source.unlink()
