"""Looking through a folder of pictures: which there are, how large, with which captions, and which can't be used."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

from lib_trainer.core.errors import DataError
from lib_trainer.images.bin import is_bin
from lib_trainer.images.captions import CAPTION_SUFFIXES, read_captions
from lib_trainer.images.options import CaptionOptions
from lib_trainer.images.pictures import Picture, PictureFolder, Skipped
from lib_trainer.images.pixels import PictureError, measure
from lib_trainer.images.repeat_folders import repeat_folder, repeat_notices
from lib_trainer.images.suffixes import OTHER_PICTURE_SUFFIXES, PICTURE_SUFFIXES
from lib_trainer.images.threads import in_threads

WANTED = "JPEG, PNG, WebP, AVIF, BMP, TIFF or GIF"

Size = tuple[int, int]


def scan(
    folder: Path,
    captions: CaptionOptions,
    on_progress: Callable[[int, int], None] | None = None,
    look: Callable[[Path], Size] = measure,
) -> PictureFolder:
    """All pictures inside `folder`, sorted by the parts of their paths, with their upright sizes and captions.

    Each file is decoded once, in threads (JPEG at an eighth of its size), so that truncated ones are noticed now and
    not in the middle of a training. `on_progress(done, total)` counts files; what it raises ends the scan. `look` is
    what takes a file's size, in a thread; it raises PictureError for a file that can't be used.

    Raises:
        DataError: there is no such folder, or no readable picture in it.
        ConfigError: the options of the captions contradict each other.
    """
    _check(folder)
    files, skipped = _find(folder)
    sizes: dict[Path, Size] = {}
    with closing(in_threads(partial(_look, look), files)) as results:
        for done, (path, result) in enumerate(results, start=1):
            if isinstance(result, Skipped):
                skipped.append(result)
            else:
                sizes[path] = result
            if on_progress is not None:
                on_progress(done, len(files))
    skipped.sort(key=lambda entry: entry.path.parts)
    if not sizes:
        raise DataError(_nothing_found(folder, skipped))
    pictures, notices = _with_captions(folder, sizes, captions)
    return PictureFolder(folder, pictures, skipped, notices)


def _check(folder: Path) -> None:
    try:
        is_folder = stat.S_ISDIR(folder.stat().st_mode)
    except FileNotFoundError as error:
        raise DataError(f"The folder {folder} does not exist; check its path.") from error
    except OSError as error:
        raise DataError(f"The folder {folder} can't be opened: {error.strerror}.") from error
    if not is_folder:
        raise DataError(f"{folder} is a file; give the folder that holds the pictures.")


def _find(folder: Path) -> tuple[list[Path], list[Skipped]]:
    """The files to look at, and those that are known to be useless by their names."""
    files: list[Path] = []
    skipped: list[Skipped] = []
    visited: set[str] = set()

    def unreadable(error: OSError) -> None:
        skipped.append(Skipped(Path(error.filename), f"the folder can't be opened: {error.strerror}"))

    for place, folders, names in os.walk(folder, onerror=unreadable, followlinks=True):
        # A link may lead back to a folder above it.
        if os.path.realpath(place) in visited:
            folders.clear()
            continue
        visited.add(os.path.realpath(place))
        if Path(place) != folder and is_bin(Path(place)):
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for path in (Path(place, name) for name in names if not name.startswith(".")):
            suffix = path.suffix.lower()
            hint = repeat_folder(folder, path)
            if suffix in OTHER_PICTURE_SUFFIXES:
                skipped.append(Skipped(path, f"{suffix} files can't be read; save it as {WANTED}"))
            elif suffix in PICTURE_SUFFIXES and hint is not None and hint.repeats == 0:
                skipped.append(Skipped(path, f"its folder '{hint.path.name}' asks for 0 repeats"))
            elif suffix in PICTURE_SUFFIXES:
                files.append(path)
    return sorted(files, key=lambda path: path.parts), skipped


def _look(look: Callable[[Path], Size], path: Path) -> tuple[Path, Size | Skipped]:
    try:
        return path, look(path)
    except PictureError as error:
        return path, Skipped(path, error.reason)


def _with_captions(
    folder: Path, sizes: dict[Path, Size], options: CaptionOptions
) -> tuple[list[Picture], list[str]]:
    paths = list(sizes)
    captions, notices = read_captions(folder, paths, options)
    pictures = []
    for path, caption in zip(paths, captions, strict=True):
        hint = repeat_folder(folder, path)
        repeats = hint.repeats if hint is not None else 1
        pictures.append(Picture(path, *sizes[path], caption.text, caption.source, repeats))
    shared = _shared_caption_files(paths) if options.source == "files" else []
    return pictures, [*repeat_notices(folder, paths), *shared, *notices]


def _shared_caption_files(paths: list[Path]) -> list[str]:
    named: dict[Path, list[str]] = {}
    for path in paths:
        named.setdefault(path.with_suffix(CAPTION_SUFFIXES[0]), []).append(path.name)
    return [
        f"{' and '.join(names)} in {file.parent} share one caption file, {file.name}; rename all but one."
        for file, names in named.items()
        if len(names) > 1
    ]


def _nothing_found(folder: Path, skipped: list[Skipped]) -> str:
    if not skipped:
        return f"{folder} holds no picture; put {WANTED} files there, or choose another folder."
    reasons = Counter(entry.reason for entry in skipped)
    first = {entry.reason: entry.path.name for entry in reversed(skipped)}
    listed = "; ".join(
        f"{first[reason]}{f' and {count - 1} more' * (count > 1)}: {reason}" for reason, count in reasons.most_common(5)
    )
    files = "1 file was" if len(skipped) == 1 else f"{len(skipped)} files were"
    return f"{folder} holds no readable picture; {files} skipped ({listed}). It needs {WANTED} files."
