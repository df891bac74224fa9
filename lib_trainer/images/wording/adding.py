"""Rules that put something into captions: tags, a beginning or an end, a trigger word, a template, another text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from lib_trainer.core.errors import ConfigError
from lib_trainer.core.options import option
from lib_trainer.images.wording.rule import About, EachCaption, EachPicture
from lib_trainer.images.wording.tags import SEPARATOR, key, retagged, split_list, tags_of, unique

PLACEHOLDER = re.compile(r"\{\{|\}\}|\{(\w*)\}")


@dataclass(frozen=True)
class Add(EachCaption):
    """Add tags that are not there yet."""

    tags: tuple[str, ...] = option(..., "Tags to add.")
    where: Literal["end", "start", "after the first"] = option("end", "Where they go.")

    @cached_property
    def _wanted(self) -> list[str]:
        return unique(split_list(self.tags))

    def reworded(self, caption: str) -> str:
        there = tags_of(caption)
        known = {key(tag) for tag in there}
        new = [tag for tag in self._wanted if key(tag) not in known]
        if not new:
            return caption
        at = {"end": len(there), "start": 0, "after the first": 1}[self.where]
        return SEPARATOR.join([*there[:at], *new, *there[at:]])


@dataclass(frozen=True)
class Prefix(EachCaption):
    """Begin each caption with a text."""

    text: str = option(..., "The text, with the space or comma that is to follow it.")

    def reworded(self, caption: str) -> str:
        return caption if caption.startswith(self.text.strip()) else f"{self.text}{caption}".strip()


@dataclass(frozen=True)
class Suffix(EachCaption):
    """End each caption with a text."""

    text: str = option(..., "The text, with the space or comma that is to stand before it.")

    def reworded(self, caption: str) -> str:
        return caption if caption.endswith(self.text.strip()) else f"{caption}{self.text}".strip()


@dataclass(frozen=True)
class Trigger(EachCaption):
    """Put the trigger word first; where it stands as a tag elsewhere, it is moved."""

    word: str = option(..., "The trigger word, or several words.")
    unless_there: bool = option(False, "Leave captions alone that have it anywhere already.")

    def reworded(self, caption: str) -> str:
        wanted = key(self.word)
        if not wanted:
            return caption
        inside = re.compile(rf"(?<!\w){re.escape(wanted)}(?!\w)")
        if (inside.search if self.unless_there else inside.match)(key(caption)):
            return caption
        others = [tag for tag in tags_of(caption) if key(tag) != wanted]
        return retagged(caption, [self.word.strip(), *others])


@dataclass(frozen=True)
class Template(EachPicture):
    """Write each caption into a template."""

    template: str = option(
        ...,
        "Text with {caption}, {first} and {rest} (its first tag and the others), {name} (of the file), {folder}, "
        "{other} (the text of the picture's other caption file); {{ and }} are braces.",
    )

    def __post_init__(self) -> None:
        known = _filled("", About())
        for found in PLACEHOLDER.finditer(self.template):
            if found[0] not in ("{{", "}}") and found[1] not in known:
                names = ", ".join(f"{{{name}}}" for name in known)
                raise ConfigError(f"'template' has {found[0]}, which stands for nothing; use {names}.")

    def reworded(self, caption: str, about: About) -> str:
        told = {"{{": "{", "}}": "}", **{f"{{{name}}}": text for name, text in _filled(caption, about).items()}}
        text = PLACEHOLDER.sub(lambda found: told[found[0]], self.template)
        # A placeholder without a text leaves two commas, or one at an end.
        return re.sub(r"\s*,(\s*,)+\s*", SEPARATOR, text).strip(" ,") if "," in self.template else text.strip()


def _filled(caption: str, about: About) -> dict[str, str]:
    first, *rest = tags_of(caption) or [""]
    return {
        "caption": caption,
        "first": first,
        "rest": SEPARATOR.join(rest),
        "name": about.name.replace("_", " "),
        "folder": about.folder.replace("_", " "),
        "other": about.other,
    }


@dataclass(frozen=True)
class Merge(EachPicture):
    """Join each caption with the text of the picture's other caption file (.txt and .caption)."""

    order: Literal["caption first", "other first"] = option("caption first", "Which of the two comes first.")

    def reworded(self, caption: str, about: About) -> str:
        return merged(caption, about.other, self.order == "caption first")


def merged(caption: str, tags: str, caption_first: bool = True) -> str:
    """A caption and tags as one caption, without tags that the other has."""
    if not (caption and tags):
        return caption or tags
    texts = (caption, tags) if caption_first else (tags, caption)
    there = {key(tag) for tag in tags_of(texts[0])}
    new = [tag for tag in unique(tags_of(texts[1])) if key(tag) not in there]
    # A sentence's full stop before a comma would look like a mistake to a text encoder as well.
    return SEPARATOR.join([texts[0].strip().rstrip(",."), *new]) if new else texts[0]
