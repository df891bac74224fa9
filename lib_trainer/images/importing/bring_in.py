"""The step `import`: pictures and captions out of folders, archives and tables, copied into one folder.

It may be ended at any time and begun again: what lies there already with the same bytes is not copied twice.
"""

from __future__ import annotations

import hashlib
import itertools
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from lib_trainer.core.errors import DataError, OutputError
from lib_trainer.core.events import Saved
from lib_trainer.core.file_lock import file_lock
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.core.whole_files import remove_leftovers
from lib_trainer.images.importing.entries import Entry, Left, Source, UnreadableEntry
from lib_trainer.images.importing.landing import BLOCK_BYTES, Arrival, Landing
from lib_trainer.images.importing.options import ImportOptions
from lib_trainer.images.importing.side_files import carry_side_files, is_side_file
from lib_trainer.images.importing.sources import ARCHIVES, open_sources
from lib_trainer.images.importing.tables import is_table
from lib_trainer.images.importing.tally import REPORT, Tally
from lib_trainer.images.importing.wording import Wording
from lib_trainer.images.looking import picture_progress
from lib_trainer.images.pixels import PictureError, measure
from lib_trainer.images.threads import in_threads

MOST_PICTURE_BYTES = 500_000_000
INCOMING = ".incoming"  # hidden: nothing takes what lies there for pictures
CAPTIONS = (".txt", ".caption")


@dataclass(frozen=True)
class Wanted:
    """One picture that is to be brought in, and where it is put meanwhile."""

    source: int
    entry: Entry
    place: Path


def bring_in(options: ImportOptions, run: RunDirectory) -> dict[str, Any]:
    """Copy everything that can be used; returns `{"folder", "pictures", "made", "kept", "same", "left", "report"}`.

    Raises:
        ConfigError: a table lacks a column that was asked for.
        DataError: a source can't be read, or none has a usable picture.
        OutputError: the folder can't be written.
    """
    output = output_folder(options)
    tally = Tally()
    sources, given = open_sources(options, tally.leave)
    wording = Wording(sources, given, options, tally.leave)
    is_whole = False
    try:
        with _incoming(output) as incoming:
            landing = Landing(output, keeps_same=options.duplicates == "keep")
            is_whole = _bring_pictures(_Bringing(sources, wording, landing, tally, run), incoming)
            if is_whole:
                tally.carried += carry_side_files(sources, output, tally.leave)
        tally.write(run.path)
    except OSError as error:
        place, cure = error.filename or output, "make room there or choose another 'output'"
        said = f"{place} can't be written ({error.strerror or error}); {cure}"
        raise OutputError(f"{said}. What was brought in is whole; starting again goes on.") from error
    _report(tally, output, run, is_whole)
    return {
        "folder": str(output), "pictures": tally.pictures, "made": tally.landed["new"], "kept": tally.landed["there"],
        "same": tally.landed["same"], "left": len(tally.left), "report": REPORT,
    }  # fmt: skip


def output_folder(options: ImportOptions) -> Path:
    """Where the pictures go.

    Raises:
        DataError: that is the folder of the originals, or one of the two lies inside the other.
    """
    if not options.source:
        raise DataError("'source' is empty; give a folder, an archive or a table of captions.")
    first = options.source[0]
    output = options.output or first.parent / f"{first.stem if first.is_file() else first.name}-imported"
    inner = output.resolve()
    for source in options.source:
        outer = source.resolve()
        overlaps = outer == inner or outer in inner.parents or inner in outer.parents
        if source.is_dir() and overlaps:
            raise DataError(
                f"The pictures would go to {output}, which overlaps with {source}, where they come from; choose an "
                "'output' outside of that folder."
            )
    return output


@contextmanager
def _incoming(output: Path) -> Iterator[Path]:
    """A folder for what has not arrived whole yet; it is empty at first, and gone at the end."""
    folder, lock = output / INCOMING, output / f"{INCOMING}.lock"
    with file_lock(lock) as ours:
        if not ours:
            raise DataError(f"Another import into {output} is at work; wait for its end, or choose another 'output'.")
        shutil.rmtree(folder, ignore_errors=True)
        remove_leftovers(output)
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            lock.unlink(missing_ok=True)
            if not any(output.iterdir()):
                output.rmdir()


@dataclass(frozen=True)
class _Bringing:
    """What the work goes on with."""

    sources: list[Source]
    wording: Wording
    landing: Landing
    tally: Tally
    run: RunDirectory


def _bring_pictures(work: _Bringing, incoming: Path) -> bool:
    """Bring all pictures in; whether nobody asked to stop meanwhile."""
    tell = picture_progress(work.run, "Bringing pictures in")
    total = sum(entry.is_picture for source in work.sources for entry in source.entries)
    wanted = _wanted(work, incoming)
    with closing(in_threads(partial(_arrive, work), wanted, work.run.stop_requested)) as results:
        for done, (name, result, notes) in enumerate(results, start=1):
            if isinstance(result, Left):
                work.tally.refuse(result)
            else:
                work.tally.land(name, work.landing.land(result), bool(result.text or result.caption))
            for note in notes:
                work.tally.leave(note)
            tell(done, max(done, total))
    return not work.run.stop_requested()


def _wanted(work: _Bringing, incoming: Path) -> Iterator[Wanted]:
    """Every picture of every source; what else lies there is told."""
    places = (incoming / str(number) for number in itertools.count())
    for number, source in enumerate(work.sources):
        pictures = {entry.stem for entry in source.entries if entry.is_picture}
        for left in source.left:
            work.tally.leave(left)
        for entry in source.entries:
            if entry.is_picture:
                yield Wanted(number, entry, next(places))
            elif entry.is_other_picture:
                work.tally.refuse(Left(entry.name, f"{entry.suffix} files can't be read; save it as JPEG or PNG"))
            elif not _is_of_use(entry, pictures):
                work.tally.other_kinds.append(entry.name)
        for entry in source.rows(work.tally.leave) if source.rows else ():
            yield Wanted(number, entry, next(places))


def _is_of_use(entry: Entry, pictures: set[str]) -> bool:
    """Whether a file that is no picture is read in another way."""
    is_caption = entry.suffix in CAPTIONS and entry.stem in pictures
    return is_caption or is_table(entry) or is_side_file(entry, pictures) or entry.suffix in (*ARCHIVES, ".json")


def _arrive(work: _Bringing, wanted: Wanted) -> tuple[str, Arrival | Left, list[Left]]:
    """Copy a picture to a place of its own and see that it can be used."""
    entry = wanted.entry
    try:
        digest = _copy(entry, wanted.place)
        measure(wanted.place)
        text, caption, notes = work.wording.texts(wanted.source, entry)
    except (UnreadableEntry, PictureError) as error:
        wanted.place.unlink(missing_ok=True)
        reason = error.reason if isinstance(error, PictureError) else str(error)
        return entry.name, Left(entry.name, reason), []
    return entry.name, Arrival(entry.name, wanted.place, digest, text, caption), notes


def _copy(entry: Entry, place: Path) -> str:
    """Copy a file's bytes; their SHA-256."""
    digest, size = hashlib.sha256(), 0
    with _opened(entry) as source, place.open("wb") as target:
        while block := _read(source):
            size += len(block)
            if size > MOST_PICTURE_BYTES:
                raise UnreadableEntry(f"it has more than {MOST_PICTURE_BYTES // 1_000_000} MB")
            digest.update(block)
            target.write(block)
    return digest.hexdigest()


def _opened(entry: Entry) -> Any:
    try:
        return entry.open()
    except OSError as error:
        raise UnreadableEntry(f"it can't be opened: {error.strerror or error}") from error


def _read(source: Any) -> bytes:
    try:
        return source.read(BLOCK_BYTES) or b""
    except OSError as error:
        raise UnreadableEntry(f"it can't be read: {error.strerror or error}") from error


def _report(tally: Tally, output: Path, run: RunDirectory, is_whole: bool) -> None:
    """Say what came of it.

    Raises:
        DataError: nothing did.
    """
    for table in tally.tables(output):
        run.append(table)
    if not is_whole:
        return
    if tally.pictures + tally.landed["same"] == 0:
        first = f" ({tally.left[0].name}: {tally.left[0].reason})" if tally.left else ""
        raise DataError(f"There is no picture that can be used in what was given{first}; choose other sources.")
    run.append(Saved("pictures", str(output)))
