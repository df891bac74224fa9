"""Rules about how a caption is written: underscores, capitals, brackets, spaces and commas."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from lib_trainer.core.options import option
from lib_trainer.images.wording.rule import EachCaption, EachTag
from lib_trainer.images.wording.tags import SEPARATOR, tags_of

CONTROLS = re.compile(r"[\x00-\x1f\x7f\u200b\ufeff]+")


@dataclass(frozen=True)
class Underscores(EachTag):
    """Write spaces for underscores, but in faces such as ^_^."""

    def concerns(self, caption: str) -> bool:
        return "_" in caption

    def retold(self, tag: str) -> str:
        return tag if "_" not in tag or is_face(tag) else " ".join(tag.replace("_", " ").split())


def is_face(tag: str) -> bool:
    """Whether a tag is drawn and not written: at most one letter or digit at each side of its underscore."""
    sides = tag.split("_")
    return len(sides) == 2 and all(side and sum(letter.isalnum() for letter in side) <= 1 for side in sides)


@dataclass(frozen=True)
class Case(EachCaption):
    """Write captions in small letters, or begin them with a capital."""

    to: Literal["small", "first capital"] = option("small", "How they are written.")

    def reworded(self, caption: str) -> str:
        return caption.lower() if self.to == "small" else caption[:1].upper() + caption[1:]


@dataclass(frozen=True)
class Brackets(EachCaption):
    """Write brackets plainly, as training takes them, or with \\ before them, as prompts of the WebUI need."""

    to: Literal["plain", "escaped"] = option("plain", "How they are written.")

    def reworded(self, caption: str) -> str:
        plain = re.sub(r"\\([()\[\]{}])", r"\1", caption)
        return plain if self.to == "plain" else re.sub(r"([()\[\]])", r"\\\1", plain)


@dataclass(frozen=True)
class Tidy(EachCaption):
    """Tidy up: single spaces, one comma and a space between tags, nothing that can't be seen."""

    full_stop: bool = option(True, "Take the full stop at the end away.")

    def reworded(self, caption: str) -> str:
        text = SEPARATOR.join(tags_of(" ".join(CONTROLS.sub(" ", caption).split())))
        return text.rstrip(" .,") if self.full_stop and not text.endswith("..") else text
