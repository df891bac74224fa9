"""Text in a grid: a font that knows its letters, and lines that fit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from PIL import ImageFont

# Pillow's own font knows little more than ASCII; these are what Linux, Windows and macOS usually have.
SYSTEM_FONTS = (
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "segoeui.ttf",
    "arial.ttf",
    "Arial Unicode.ttf",
    "NotoSansCJK-Regular.ttc",
    "msgothic.ttc",
    "msyh.ttc",
    "Hiragino Sans GB.ttc",
)
NO_LETTER = "\uffff"
ELLIPSIS = "..."


def choose_font(texts: Iterable[str], size: int) -> tuple[Any, bool]:
    """A font of this size in pixels that knows every letter of the texts, and whether there is one.

    Pillow's own comes first, so that a grid looks the same everywhere as long as that one suffices.
    """
    letters = {letter for text in texts for letter in text if not letter.isspace()}
    own = ImageFont.load_default(size)
    if _knows(own, letters):
        return own, True
    for name in SYSTEM_FONTS:
        try:
            font = ImageFont.truetype(name, size)
        except OSError:
            continue
        if _knows(font, letters):
            return font, True
    return own, False


def _knows(font: Any, letters: Iterable[str]) -> bool:
    @cache
    def shape(letter: str) -> tuple[object, bytes]:
        mask = font.getmask(letter)
        return mask.size, bytes(mask)

    return all(shape(letter) != shape(NO_LETTER) for letter in letters)


def line_height(font: Any) -> int:
    """Pixels from one line to the next."""
    ascent, descent = font.getmetrics()
    return int(ascent + descent + 2)


def text_width(font: Any, text: str) -> int:
    """Pixels that the text takes on one line."""
    return int(font.getlength(text)) + 1


def wrap(text: str, font: Any, width: int, most_lines: int) -> list[str]:
    """Lines no wider than `width` pixels; words that are wider are cut; what is too much ends in an ellipsis."""
    lines: list[str] = []
    for paragraph in text.splitlines():
        lines += _wrapped(paragraph.split(), font, width)
    if len(lines) <= most_lines:
        return lines
    kept = lines[:most_lines]
    while kept[-1] and text_width(font, kept[-1] + ELLIPSIS) > width:
        kept[-1] = kept[-1][:-1]
    return [*kept[:-1], kept[-1].rstrip() + ELLIPSIS]


def _wrapped(words: Sequence[str], font: Any, width: int) -> list[str]:
    lines, line = [], ""
    for word in words:
        longer = f"{line} {word}" if line else word
        if text_width(font, longer) <= width:
            line = longer
            continue
        if line:
            lines.append(line)
        *whole, line = _pieces(word, font, width)
        lines += whole
    return [*lines, line] if line else lines


def _pieces(word: str, font: Any, width: int) -> list[str]:
    pieces = [""]
    for letter in word:
        if pieces[-1] and text_width(font, pieces[-1] + letter) > width:
            pieces.append("")
        pieces[-1] += letter
    return pieces
