"""Taking one picture into the folder: fetched or copied, looked at, named, with its caption beside it."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from lib_trainer.core.errors import OutputError
from lib_trainer.core.whole_files import write_text
from lib_trainer.images.pixels import PictureError, measure
from lib_trainer.images.promptlog.contents import FIRST, picture_suffix, what_it_is
from lib_trainer.images.promptlog.fetching import Part, digest_of
from lib_trainer.images.promptlog.ledger import Entry, Ledger
from lib_trainer.images.promptlog.messages import caption_of
from lib_trainer.images.promptlog.options import PromptLogOptions
from lib_trainer.images.promptlog.outcomes import NotTaken, TryLater
from lib_trainer.images.promptlog.selection import Wanted, same_link

PARTS = ".parts"
LONGEST_STEM = 60  # letters of the link's own name
LONGEST_BYTES = 120

Bring = Callable[[Wanted, Part], None]


@dataclass(frozen=True)
class Taken:
    """A picture that is in the folder now; `is_new`: not before; `caption_kept`: somebody changed its caption."""

    file: str
    is_new: bool
    caption_kept: bool


class Taker:
    """Takes pictures into a folder; `bring` puts one's file into its part. May be used by several threads.

    Whatever is broken off: a picture has its name only when it is whole and its caption lies beside it.
    """

    def __init__(self, folder: Path, options: PromptLogOptions, ledger: Ledger, bring: Bring) -> None:
        self._folder, self._options, self._ledger, self._bring = folder, options, ledger, bring

    def take(self, wanted: Wanted) -> Taken:
        """Take a picture, or see that it was taken before.

        Raises:
            NotTaken, TryLater: it can't be taken (now).
            OutputError: the disk refuses.
            StopRequested: as `bring`.
        """
        key = hashlib.sha256(same_link(wanted.link).encode("utf-8", "replace")).hexdigest()[:24]
        caption = caption_of(wanted.prompt, self._options.captions)
        try:
            known = self._ledger.entry(key)
            if known is not None and (self._folder / known.file).is_file():
                return self._up_to_date(known, caption)
            part = Part(key, self._folder / PARTS / key)
            self._bring(wanted, part)
            return self._put(wanted.link, part, caption)
        except OSError as error:
            said = f"A picture can't be put into {self._folder} ({error})"
            raise OutputError(f"{said}; make room there, or choose another 'output'.") from error

    def _up_to_date(self, known: Entry, caption: str) -> Taken:
        """Write the caption anew, unless somebody changed it."""
        written, is_kept = self._write_caption((self._folder / known.file).with_suffix(".txt"), caption, known.caption)
        if written != known.caption:
            self._ledger.add(replace(known, caption=written))
        return Taken(known.file, False, is_kept)

    def _put(self, link: str, part: Part, caption: str) -> Taken:
        suffix = self._look(part.path)
        digest = digest_of(part.path).hex()
        target = self._folder / f"{_stem(link)}-{part.key[:10]}{suffix}"
        if target.exists() and digest_of(target).hex() != digest:
            raise NotTaken(f"{target.name} is there already, with another content")
        written, is_kept = self._write_caption(target.with_suffix(".txt"), caption, "")
        size = part.path.stat().st_size
        with part.path.open("rb+") as file:
            os.fsync(file.fileno())
        part.path.replace(target)
        self._ledger.add(Entry(part.key, target.name, size, digest, written, link))
        return Taken(target.name, True, is_kept)

    def _look(self, path: Path) -> str:
        """The ending that fits what arrived; a file that is no whole picture is removed."""
        with path.open("rb") as file:
            first = file.read(FIRST)
        try:
            if not first:
                raise TryLater("its file is empty")
            suffix = picture_suffix(first)
            if not suffix:
                raise NotTaken(f"it is {what_it_is(first)}, not a picture")
            width, height = measure(path)
            least = self._options.download.shortest_side
            if least is not None and min(width, height) < least:
                raise NotTaken(f"a side is shorter than {least} px")
        except PictureError as error:
            path.unlink()
            raise TryLater("it is truncated or damaged") from error
        except (NotTaken, TryLater):
            path.unlink()
            raise
        return suffix

    def _write_caption(self, file: Path, caption: str, ours: str) -> tuple[str, bool]:
        """The digest of the caption that we wrote last, and whether somebody changed it since."""
        wanted = _text_digest(caption.encode("utf-8", "replace"))
        if file.exists():
            there = _text_digest(file.read_bytes())
            if there == wanted:
                return wanted, False
            if there != ours:
                return ours, True
        write_text(file, caption)
        return wanted, False


def _text_digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def _stem(link: str) -> str:
    """The link's own file name without its ending, as any disk takes it."""
    try:
        path = urlsplit(link).path
    except ValueError:
        path = link
    name = unicodedata.normalize("NFC", unquote(PurePosixPath(path.replace("\\", "/")).name, errors="replace"))
    words = re.sub(r"[^\w-]+", "_", PurePosixPath(name).stem.replace("\ufffd", "")).strip("_-")
    cut = words[:LONGEST_STEM].encode("utf-8", "ignore")[:LONGEST_BYTES].decode("utf-8", "ignore").strip("_-")
    return cut or "picture"
