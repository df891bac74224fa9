"""One caption out of a sentence, tags and a trigger, and its place among the words that are there already."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lib_trainer.images.captioners.options import WordingOptions
from lib_trainer.images.captioners.tag_options import key_of

GAPS = re.compile(r"\s*,(?:\s*,)+")  # what an empty placeholder leaves behind


@dataclass(frozen=True)
class Said:
    """What the captioners said about one picture."""

    sentence: str = ""
    tags: tuple[str, ...] = ()


def worded(said: Said, options: WordingOptions, picture: Path) -> str:
    """The caption of a picture, on one line."""
    if options.template:
        return _filled(said, options, picture)
    parts = [said.sentence, *said.tags] if options.order == "caption first" else [*said.tags, said.sentence]
    trigger = options.trigger.strip()
    parts = [part for part in parts if part and key_of(part) != key_of(trigger)]
    if parts and trigger and _begins_with(parts[0], trigger):
        return ", ".join(parts)
    return ", ".join(part for part in (trigger, *parts) if part)


def _begins_with(text: str, trigger: str) -> bool:
    return re.match(rf"{re.escape(trigger)}\b", text, re.IGNORECASE) is not None


def _filled(said: Said, options: WordingOptions, picture: Path) -> str:
    text = options.template.format(
        trigger=options.trigger.strip(),
        caption=said.sentence,
        tags=", ".join(said.tags),
        folder=picture.parent.name,
        file=picture.stem,
    )
    return GAPS.sub(",", " ".join(text.split())).strip(" ,")


def added(before: str, new: str, how: Literal["append", "prepend"], trigger: str) -> str:
    """The caption with the words of the new one that it lacks behind or before its own; the trigger stays first.

    Words are compared between the commas. A caption of several lines gets them in each.
    """
    lines = [line.strip() for line in before.splitlines() if line.strip()]
    return "\n".join(_added_to(line, new, how, trigger.strip()) for line in lines) if lines else new


def _added_to(line: str, new: str, how: Literal["append", "prepend"], trigger: str) -> str:
    old = _parts(line)
    known = {key_of(part) for part in old}
    fresh = [part for part in _parts(new) if key_of(part) not in known]
    parts = [*old, *fresh] if how == "append" else [*fresh, *old]
    if not trigger:
        return ", ".join(parts)
    rest = [part for part in parts if key_of(part) != key_of(trigger)]
    return ", ".join(rest if rest and _begins_with(rest[0], trigger) else [trigger, *rest])


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
