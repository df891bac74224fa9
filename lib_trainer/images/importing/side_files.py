"""Files beside pictures that training heeds, such as `multiply.txt`: carried along as they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from lib_trainer.core.file_names import safe_path
from lib_trainer.core.whole_files import whole_file
from lib_trainer.images.importing.entries import Entry, Left, Source, UnreadableEntry

NAMES = (
    *("overrides.json", "local.yaml", "global.yaml"),
    *("multiply.txt", "flip_p.txt", "cond_dropout.txt", "loss_scale.txt"),
)
MOST_BYTES = 10_000_000


def is_side_file(entry: Entry, pictures: set[str]) -> bool:
    """Whether training heeds this file; `pictures` are the stems of those that lie in its source."""
    if entry.suffix == ".yaml" and entry.stem in pictures:
        return True
    return PurePosixPath(entry.name).name in NAMES and entry.stem not in pictures


def carry_side_files(sources: Sequence[Source], output: Path, leave: Callable[[Left], None]) -> int:
    """Copy side files to the folders that their pictures are in now, unless others lie there; how many lie there.

    Raises:
        OSError: what the disk said of writing.
    """
    carried = 0
    for source in sources:
        pictures = {entry.stem for entry in source.entries if entry.is_picture}
        for entry in source.entries if pictures else ():
            if is_side_file(entry, pictures):
                carried += _carry(entry, output / safe_path(entry.name), leave)
    return carried


def _carry(entry: Entry, target: Path, leave: Callable[[Left], None]) -> bool:
    try:
        with entry.open() as file:
            data = file.read(MOST_BYTES + 1)
    except (UnreadableEntry, OSError) as error:
        leave(Left(entry.name, f"it can't be read ({error})"))
        return False
    if len(data) > MOST_BYTES:
        leave(Left(entry.name, f"it has more than {MOST_BYTES // 1_000_000} MB"))
        return False
    if target.exists():
        if target.read_bytes() != data:
            leave(Left(entry.name, "another one lies there already, which stays"))
            return False
        return True
    with whole_file(target) as file:
        file.write(data)
    return True
