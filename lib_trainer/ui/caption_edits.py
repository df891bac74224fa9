"""Captions changed in the gallery: written beside the picture, with what was there before kept for taking it back."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any

from lib_trainer.core.configs import load
from lib_trainer.core.errors import OutputError
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.core.whole_files import whole_file, write_text
from lib_trainer.images.captions import CAPTION_SUFFIXES, read_captions
from lib_trainer.images.options import CaptionOptions
from lib_trainer.ui.boundaries import Boundaries
from lib_trainer.ui.listings import Listing, Listings, Picture
from lib_trainer.ui.web import Refused

EDITS_FILE = "captions.jsonl"  # in the run's folder: one line an edit that can be taken back
LONGEST_CAPTION = 20_000


def write_caption(
    boundaries: Boundaries, listings: Listings, run: RunDirectory, n: int, text: str
) -> Picture:
    """Write the caption of picture `n` to NAME.txt beside it, or to NAME.caption if it came from there.

    Returns:
        The picture as it is now.

    Raises:
        Refused: there is no such picture (any more), captions are not read from files, or the text can't be written.
        OutputError: the disk refuses.
    """
    content = _encoded(text)
    with listings.lock:
        listing = listings.of(run)
        picture = _file_of(boundaries, listing, n)
        options = _caption_options(run)
        suffix = ".caption" if listing.picture(n).get("caption_source") == ".caption" else ".txt"
        file = picture.with_suffix(suffix)
        before = _content(file)
        edits = _edits(run)
        _keep_edits(run, [*edits, {"file": str(file), "before": _as_text(before), "after": _as_text(content)}])
        try:
            _put(file, content)
        except OutputError:
            _keep_edits(run, edits)
            raise
        return _look_again(listings, run, n, options)


def undo(boundaries: Boundaries, listings: Listings, run: RunDirectory, n: int) -> Picture:
    """Take back the last change of the caption of picture `n`.

    Returns:
        The picture as it is now.

    Raises:
        Refused: there is nothing to take back, or somebody has changed the file since (409).
        OutputError: the disk refuses.
    """
    with listings.lock:
        picture = _file_of(boundaries, listings.of(run), n)
        beside = [str(picture.with_suffix(suffix)) for suffix in CAPTION_SUFFIXES]
        edits = _edits(run)
        edit = next((edit for edit in reversed(edits) if edit["file"] in beside), None)
        if edit is None:
            raise Refused("No change of this caption is left to take back.", 409)
        file = Path(edit["file"])
        if _as_text(_content(file)) != edit["after"]:
            raise Refused(f"{file} was changed by another program since; it was left as it is now.", 409)
        _put(file, None if edit["before"] is None else _as_bytes(edit["before"]))
        _keep_edits(run, [other for other in edits if other is not edit])
        return _look_again(listings, run, n, _caption_options(run))


def _encoded(text: str) -> bytes:
    if len(text) > LONGEST_CAPTION:
        raise Refused(f"The caption has {len(text)} letters; at most {LONGEST_CAPTION} are possible. Shorten it.")
    try:
        return text.strip().encode("utf-8")
    except UnicodeEncodeError as error:
        raise Refused("The caption has half a character in it, which can't be written; type it again.") from error


def _file_of(boundaries: Boundaries, listing: Listing, n: int) -> Path:
    """The picture file, if it is still there and may be touched."""
    name = PurePosixPath(listing.picture(n)["file"])
    picture = listing.folder / name
    if name.is_absolute() or ".." in name.parts or not boundaries.allows(listing.folder):
        raise Refused(f"{picture} may not be changed from here.", 403)
    if not picture.is_file():
        raise Refused(f"{picture} is not there any more; look through the folder again.", 404)
    return picture


def _caption_options(run: RunDirectory) -> CaptionOptions:
    options: CaptionOptions = load(CaptionOptions, run.job()[1].get("captions", {}), "captions.")
    if options.source != "files":
        raise Refused(f"Captions are taken from the {options.source} here; set 'captions.source' to 'files'.", 409)
    return options


def _content(file: Path) -> bytes | None:
    """What a file holds; None where there is none."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise OutputError(f"{file} can't be read ({error}), so it was left as it is; check its rights.") from error


def _put(file: Path, content: bytes | None) -> None:
    try:
        if content is None:
            file.unlink(missing_ok=True)
            return
        with whole_file(file) as opened:
            opened.write(content)
    except OSError as error:
        raise OutputError(f"{file} can't be written ({error}); make room, or check the folder's rights.") from error


def _look_again(listings: Listings, run: RunDirectory, n: int, options: CaptionOptions) -> Picture:
    """Read the captions again of all pictures that share the caption file of picture `n`, into the listing."""
    listing = listings.of(run)
    stem = _stem(listing.picture(n))
    changed = {}
    for other, entry in enumerate(listing.pictures):
        if _stem(entry) == stem:
            (found,), _ = read_captions(listing.folder, [listing.folder / entry["file"]], options)
            changed[other] = {**entry, "caption": found.text, "caption_source": found.source}
    try:
        listings.change(run, changed)
    except OSError as error:
        raise OutputError(f"The listing in {run.path} can't be written ({error}); make room.") from error
    return changed[n]


def _stem(picture: Picture) -> str:
    return PurePosixPath(picture["file"]).with_suffix("").as_posix()


def _edits(run: RunDirectory) -> list[dict[str, Any]]:
    try:
        lines = (run.path / EDITS_FILE).read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise OutputError(f"{run.path / EDITS_FILE} can't be read ({error}); move it away.") from error


def _keep_edits(run: RunDirectory, edits: list[dict[str, Any]]) -> None:
    try:
        write_text(run.path / EDITS_FILE, "".join(json.dumps(edit) + "\n" for edit in edits))
    except OSError as error:
        raise OutputError(f"{run.path / EDITS_FILE} can't be written ({error}); make room.") from error


def _as_text(content: bytes | None) -> str | None:
    """Any bytes as text that JSON can hold and `_as_bytes` turns back."""
    return None if content is None else content.decode("utf-8", "surrogateescape")


def _as_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
