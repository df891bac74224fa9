"""A caption as tags: what stands between its commas."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

SEPARATOR = ", "


def tags_of(caption: str) -> list[str]:
    """The tags in their order, without empty ones, as training takes them apart too."""
    return list(filter(None, map(str.strip, caption.split(","))))


@lru_cache(maxsize=65_536)  # the same few thousand tags come again and again
def key(tag: str) -> str:
    """What two spellings of one tag have in common: small letters, and single spaces for underscores."""
    return " ".join(tag.replace("_", " ").casefold().split())


def keys_of(caption: str) -> list[str]:
    """The keys of a caption's tags."""
    return [key(tag) for tag in tags_of(caption)]


def retagged(caption: str, tags: Sequence[str]) -> str:
    """The caption with these tags; one that has them already stays as it was written."""
    return caption if tags_of(caption) == list(tags) else SEPARATOR.join(tags)


def rejoined(caption: str, before: list[str], after: list[str]) -> str:
    """As `retagged`, for who has taken the caption apart already."""
    return caption if before == after else SEPARATOR.join(after)


def unique(tags: Sequence[str]) -> list[str]:
    """The tags without those that came before."""
    return list({key(tag): tag for tag in reversed(tags)}.values())[::-1]


class Meant:
    """The tags that are meant by names, of which `*` stands for anything."""

    def __init__(self, names: Sequence[str]) -> None:
        keys = [key(name) for name in names]
        self._plain = {each for each in keys if "*" not in each}
        self._open = [each.split("*") for each in keys if "*" in each]
        self._known: dict[str, bool] = {}

    def __contains__(self, tag: str) -> bool:
        """Whether a tag is meant, by its key."""
        if tag not in self._known:
            self._known[tag] = self._is_meant(key(tag))
        return self._known[tag]

    def _is_meant(self, known: str) -> bool:
        return known in self._plain or any(_fits(known, parts) for parts in self._open)


def _fits(text: str, parts: list[str]) -> bool:
    """Whether a text is these parts with anything between them; each search goes on where the last one ended."""
    first, *between, last = parts
    if not text.startswith(first) or len(text) < len(first) + len(last) or not text.endswith(last):
        return False
    at, end = len(first), len(text) - len(last)
    for part in between:
        at = text.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True


def split_list(texts: Sequence[str]) -> list[str]:
    """Single tags from texts that may each hold several."""
    return [tag for text in texts for tag in tags_of(text)]
