"""What `prepare` remembers in the folder of copies, so that it makes nothing twice and overwrites nobody's work."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lib_trainer.core.errors import OutputError
from lib_trainer.core.whole_files import write_text

MANIFEST = ".prepared.json"
VERSION = 1


@dataclass(frozen=True)
class Copy:
    """One copy: its path in the folder, the SHA-256 of the original and of the copy, its recipe, its caption, and the
    SHA-256 of its mask.

    Empty digests mean that the name is reserved and the copy not known to be whole.
    """

    name: str
    original: str = ""
    content: str = ""
    recipe: str = ""
    caption: str = ""
    mask: str = ""


def read_manifest(output: Path) -> dict[str, Copy]:
    """Which copies a folder holds, by the originals' paths relative to their folder; none where there is no folder.

    Raises:
        OutputError: the folder can't be read, or holds what `prepare` did not put there.
    """
    manifest = output / MANIFEST
    try:
        if manifest.exists():
            data = json.loads(manifest.read_text(encoding="utf-8"))
            if data["version"] != VERSION:
                raise ValueError(f"its version is {data['version']}, not {VERSION}")
            return {original: Copy(**entry) for original, entry in data["copies"].items()}
        strange = sorted(path.name for path in output.iterdir() if path.name[0] != ".") if output.exists() else []
    except OSError as error:
        raise OutputError(f"The folder {output} can't be used ({error}); choose another 'output'.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise OutputError(f"{manifest} is damaged ({error}); choose a new folder as 'output'.") from error
    if strange:
        raise OutputError(f"{output} already holds other files ({strange[0]}); choose a new folder as 'output'.")
    return {}


def write_manifest(output: Path, copies: dict[str, Copy]) -> None:
    """Remember the copies.

    Raises:
        OutputError: the disk refused.
    """
    entries = {original: dataclasses.asdict(entry) for original, entry in copies.items()}
    try:
        write_text(output / MANIFEST, json.dumps({"version": VERSION, "copies": entries}, indent=1))
    except OSError as error:
        cure = "make room there or choose another 'output'"
        raise OutputError(f"{output / MANIFEST} can't be written ({error}); {cure}.") from error


def name_copies(output: Path, originals: Sequence[str], known: dict[str, Copy], suffix: str) -> dict[str, str]:
    """A path in `output` for the copy of each original (both relative, with /).

    A copy keeps its name for good. No two share a stem, which would be one caption file, and no other file is
    overwritten: `a.jpg` and `a.png` become `a.png` and `a-png.png`.
    """
    ours = {_stem(entry.name) for entry in known.values()}
    there = (path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file())
    taken = ours | {_stem(name) for name in there}
    names = {}
    for original in originals:
        if original in known:
            stem = PurePosixPath(known[original].name).with_suffix("").as_posix()
        else:
            stem = next(stem for stem in _stems(original) if stem.casefold() not in taken)
            taken.add(stem.casefold())
        names[original] = f"{stem}{suffix}"
    return names


def piece_of(original: str, number: int) -> str:
    """What the copy of one piece of a picture is remembered by; no picture's own name ends so."""
    return f"{original}#{number}"


def _stems(original: str) -> Iterator[str]:
    whole, _, piece = original.rpartition("#")
    if piece.isdigit():
        yield from (f"{stem}-{piece}" for stem in _stems(whole))
        return
    path = PurePosixPath(original)
    stem = path.with_suffix("").as_posix()
    yield stem
    yield f"{stem}-{path.suffix[1:]}"
    for number in itertools.count(2):
        yield f"{stem}-{path.suffix[1:]}-{number}"


def _stem(name: str) -> str:
    """What two names must not share, on file systems that ignore case as well."""
    return PurePosixPath(name).with_suffix("").as_posix().casefold()
