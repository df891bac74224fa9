"""What rules make of captions as they lie in files: line by line, without losing lines that no training reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from lib_trainer.core.errors import DataError
from lib_trainer.images.captions import CAPTION_SUFFIXES
from lib_trainer.images.encodings import read_text_file
from lib_trainer.images.wording.rule import About, EachPicture, Rule
from lib_trainer.images.wording.rules import apply_all

LONGEST_CAPTION = 20_000


def reworded(rules: Sequence[Rule], texts: Sequence[str], about: Callable[[int], About]) -> list[str]:
    """The captions after the rules; each line is a caption. `about(place)` is only asked where a rule wants to know.

    Raises:
        ConfigError: a rule can't be applied.
    """
    lines = [(place, line) for place, text in enumerate(texts) for line in text.split("\n")]
    known: list[About] = []
    if any(isinstance(rule, EachPicture) for rule in rules):
        each = [about(place) for place in range(len(texts))]
        known = [each[place] for place, _ in lines]
    told = apply_all(rules, [line for _, line in lines], known)
    if len(lines) == len(texts):
        return told
    again: list[list[str]] = [[] for _ in texts]
    for (place, _), line in zip(lines, told, strict=True):
        again[place].append(line)
    return ["\n".join(each) for each in again]


def about_picture(picture: Path, source: str) -> About:
    """What rules may know of a picture whose caption came from there."""
    main = caption_file(picture, source)
    other = main.with_suffix(next(suffix for suffix in CAPTION_SUFFIXES if suffix != main.suffix))
    try:
        text = " ".join(read_text_file(other).text.split()) if other.is_file() else ""
    except DataError:
        text = ""  # looking through the folder names it
    return About(picture.stem, picture.parent.name, text)


def caption_file(picture: Path, source: str) -> Path:
    """Where a picture's caption belongs, by where it came from."""
    return picture.with_suffix(".caption" if source == ".caption" else ".txt")


def file_content(file: Path, text: str, lines: str) -> bytes:
    """A caption file's new content; where only its first line counts (`lines`), the others stay.

    Raises:
        DataError: the text can't be a caption, or the present file can't be read.
    """
    if len(text) > LONGEST_CAPTION:
        raise DataError(f"The caption has {len(text)} letters; at most {LONGEST_CAPTION} are possible. Shorten it.")
    try:
        data = text.strip().encode("utf-8")
    except UnicodeEncodeError as error:
        raise DataError("The caption has half a character in it, which can't be written; type it again.") from error
    if lines != "first" or not file.exists():
        return data
    there = [line for line in read_text_file(file).text.splitlines() if line.strip()]
    return b"\n".join([data, *(line.encode("utf-8", "replace") for line in there[1:])])
