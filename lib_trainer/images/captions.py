"""Each picture's caption: from a file beside it, metadata.jsonl, its folder's or its own name, or a prompt for all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lib_trainer.core.errors import ConfigError, DataError
from lib_trainer.images.encodings import read_text_file
from lib_trainer.images.metadata import METADATA_FILE, picture_key, read_metadata
from lib_trainer.images.options import CaptionOptions
from lib_trainer.images.repeat_folders import repeat_folder

CAPTION_SUFFIXES = (".txt", ".caption")
NO_CAPTION = "none"
NUL = "\0"


@dataclass(frozen=True)
class Caption:
    """A caption, and in a word or two where it came from."""

    text: str
    source: str


def read_captions(
    folder: Path, pictures: Sequence[Path], options: CaptionOptions
) -> tuple[list[Caption], list[str]]:
    """The captions of pictures inside `folder`, in their order, and notices for the user.

    An empty caption file counts as none; line breaks become spaces, which the tokenizer would make of them anyway, but
    where any of a caption's lines is to be taken.

    Raises:
        ConfigError: the prompt is to caption all pictures and is empty.
    """
    prompt = one_line(options.prompt)
    if options.source == "prompt":
        if not prompt:
            raise ConfigError("'captions.prompt' is empty; write the caption of all pictures, or take another source.")
        return [Caption(prompt, "prompt") for _ in pictures], []
    if options.source == "file name":
        return [Caption(_spoken_name(path), "file name") for path in pictures], []
    reader = _Reader(folder, prompt, options.lines)
    return [reader.caption(path) for path in pictures], reader.notices


def one_line(text: str) -> str:
    """The text on one line, with single spaces, and encodable as UTF-8."""
    return " ".join(text.encode("utf-8", "replace").decode("utf-8").split())


def chosen_lines(text: str, lines: str) -> str:
    """What is taken of a caption's lines, by the option of that name."""
    if lines == "joined":
        return one_line(text)
    each = [line for line in map(one_line, text.splitlines()) if line]
    return "\n".join(each if lines == "any" else each[:1])


def _spoken_name(picture: Path) -> str:
    stem = os.fsencode(picture.stem).decode("utf-8", "replace")
    return one_line(stem.replace("_", " ")) or stem


@dataclass
class _Reader:
    folder: Path
    prompt: str
    lines: str
    notices: list[str] = field(default_factory=list)
    metadata: dict[Path, dict[str, str]] = field(default_factory=dict)

    def caption(self, picture: Path) -> Caption:
        return (
            self._beside(picture)
            or self._listed(picture)
            or self._hinted(picture)
            or (Caption(self.prompt, "prompt") if self.prompt else Caption("", NO_CAPTION))
        )

    def _hinted(self, picture: Path) -> Caption | None:
        hint = repeat_folder(self.folder, picture)
        return Caption(one_line(hint.words), "folder name") if hint else None

    def _beside(self, picture: Path) -> Caption | None:
        chosen = None
        for suffix in CAPTION_SUFFIXES:
            file = picture.with_suffix(suffix)
            is_there = os.path.isfile(file)  # noqa: PTH113 - is_file() raises where the name is too long
            text = self._text(file) if is_there else ""
            if chosen is None and text:
                chosen = Caption(text, suffix)
            elif chosen is not None and text and text != chosen.text:
                self.notices.append(f"{file} is not used: {picture.stem}{chosen.source} beside it says something else.")
        return chosen

    def _text(self, file: Path) -> str:
        try:
            content = read_text_file(file)
        except DataError as error:
            self.notices.append(f"{error} This caption is not used.")
            return ""
        if content.other_encoding:
            self.notices.append(f"{file} is not UTF-8 and was read as {content.other_encoding}; save it as UTF-8.")
        if NUL in content.text:
            self.notices.append(f"{file} has NUL characters in it, which no text has; they are left out.")
        text = chosen_lines(content.text.replace(NUL, ""), self.lines)
        if not text:
            self.notices.append(f"{file} is empty and does not count as a caption.")
        return text

    def _listed(self, picture: Path) -> Caption | None:
        depth = len(picture.relative_to(self.folder).parts)
        for above in list(picture.parents)[:depth]:
            if above not in self.metadata:
                self.metadata[above] = self._read_metadata(above / METADATA_FILE)
            text = chosen_lines(self.metadata[above].get(picture_key(picture), ""), self.lines)
            if text:
                return Caption(text, METADATA_FILE)
        return None

    def _read_metadata(self, file: Path) -> dict[str, str]:
        if not file.is_file():
            return {}
        captions, notices = read_metadata(file)
        self.notices.extend(notices)
        return captions
