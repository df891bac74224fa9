"""From what a tagger sees to the tags as they are written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from lib_trainer.images.captioners.base import Tag
from lib_trainer.images.captioners.tag_options import TagOptions, key_of

WORD = re.compile(r"[^\W_]{2}")  # a face such as >_< or o_o has no two letters side by side
SERIES = re.compile(r"^(?P<name>.+?)[_ ]\((?P<series>[^()]+)\)$")
BRACKET = re.compile(r"(?<!\\)([()])")


def words_of(tags: Sequence[Tag], options: TagOptions) -> list[str]:
    """The tags of one picture as its caption has them, each once; of ratings and qualities only the surest counts.

    Raises:
        ConfigError: as `TagOptions.replacements`.
    """
    wished = {key_of(tag): place for place, tag in enumerate(options.first)}
    ordered = sorted(_placed(tags, options), key=lambda tag: wished.get(key_of(tag.name), len(wished)))
    replacements = options.replacements()
    excluded = {key_of(tag) for tag in options.exclude}
    words = [
        _spelt(word, options)
        for tag in ordered
        if key_of(tag.name) not in excluded
        for word in _written(tag, options, replacements)
        if word and key_of(word) not in excluded
    ]
    return list({key_of(word): word for word in reversed(words)}.values())[::-1]


def _placed(tags: Sequence[Tag], options: TagOptions) -> list[Tag]:
    """The tags in their order, with rating and quality where they are wished."""
    named = [tag for tag in tags if tag.category not in ("rating", "quality")]
    if options.order == "confidence":
        named.sort(key=lambda tag: -tag.score)
    elif options.order == "alphabet":
        named.sort(key=lambda tag: key_of(tag.name))
    if options.characters_first:
        named.sort(key=lambda tag: tag.category != "character")
    rating, quality = (_surest(tags, category) for category in ("rating", "quality"))
    placed = [(options.rating, rating), (options.quality, quality)]
    before = [tag for place, tag in placed if place == "first" and tag is not None]
    behind = [tag for place, tag in reversed(placed) if place == "last" and tag is not None]
    return [*before, *named, *behind]


def _surest(tags: Iterable[Tag], category: str) -> Tag | None:
    return max((tag for tag in tags if tag.category == category), key=lambda tag: tag.score, default=None)


def _written(tag: Tag, options: TagOptions, replacements: dict[str, str]) -> list[str]:
    if key_of(tag.name) in replacements:
        return [replacements[key_of(tag.name)]]
    series = SERIES.match(tag.name) if options.expand_characters and tag.category == "character" else None
    names = [series["name"], series["series"]] if series else [tag.name]
    return [replacements.get(key_of(name), name) for name in names]


def _spelt(word: str, options: TagOptions) -> str:
    spaced = " ".join(word.replace("_", " ").split()) if options.spaces and WORD.search(word) else word
    return BRACKET.sub(r"\\\1", spaced) if options.escape_brackets else spaced
