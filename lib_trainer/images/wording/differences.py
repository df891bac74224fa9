"""What a caption lost and won, in parts that can be shown one after the other."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

WORD = re.compile(r"\s+|,|[^\s,]+")
TAG = re.compile(r",\s*|[^,]+")
FEWEST_TAGS = 3  # what has fewer is taken for a sentence and compared word by word
MOST_PIECES = 400  # comparing takes the square of it


def differences(before: str, after: str) -> list[tuple[str, str]]:
    """Parts ("same" | "gone" | "new", text): without the new ones the text before, without the gone ones that after."""
    piece = TAG if before.count(",") + 1 >= FEWEST_TAGS else WORD
    old, new = piece.findall(before), piece.findall(after)
    if before == after or len(old) + len(new) > MOST_PIECES:
        return [("same", before)] if before == after else [("gone", before), ("new", after)]
    # Most rules change one place; comparing only what is about it is a hundred times quicker.
    shorter = min(len(old), len(new))
    begin = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    end = 0
    while end < shorter - begin and old[-1 - end] == new[-1 - end]:
        end += 1
    middle = _compared(old[begin : len(old) - end], new[begin : len(new) - end])
    parts = [("same", "".join(old[:begin])), *middle, ("same", "".join(old[len(old) - end :]))]
    return [(kind, text) for kind, text in parts if text]


def _is_between(piece: str) -> bool:
    """What stands between words and tags is everywhere, and would only make the search for equal parts slow."""
    return not piece.strip(" ,")


def _compared(old: list[str], new: list[str]) -> list[tuple[str, str]]:
    parts: list[tuple[str, str]] = []
    for how, start, end, other_start, other_end in SequenceMatcher(_is_between, old, new, autojunk=False).get_opcodes():
        if how == "equal":
            parts.append(("same", "".join(old[start:end])))
            continue
        parts += [("gone", "".join(old[start:end])), ("new", "".join(new[other_start:other_end]))]
    return parts
