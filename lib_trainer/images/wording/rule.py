"""What a rule is: options, and a way to reword captions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from lib_trainer.images.wording.tags import rejoined, tags_of


@dataclass(frozen=True)
class About:
    """What a rule may know of a caption's picture: its name, its folder's name, and the text of its other side file."""

    name: str = ""
    folder: str = ""
    other: str = ""


class Rule(Protocol):
    """One rule; its options are the fields of a dataclass."""

    def over(self, captions: Sequence[str], about: Sequence[About]) -> list[str]:
        """The captions, reworded, in their order; `about` has as many."""
        ...


class EachCaption:
    """A rule that looks at one caption at a time."""

    def reworded(self, caption: str) -> str:
        """The caption by this rule."""
        raise NotImplementedError

    def over(self, captions: Sequence[str], about: Sequence[About]) -> list[str]:
        """The captions by this rule; equal ones are worked out once."""
        known = {caption: self.reworded(caption) for caption in dict.fromkeys(captions)}
        return [known[caption] for caption in captions]


class EachTag:
    """A rule that looks at one tag at a time."""

    def retold(self, tag: str) -> str:
        """The tag by this rule; nothing where it goes."""
        raise NotImplementedError

    def over(self, captions: Sequence[str], about: Sequence[About]) -> list[str]:
        """The captions by this rule; equal tags are worked out once."""
        known: dict[str, str] = {}
        return [self._over(caption, known) if self.concerns(caption) else caption for caption in captions]

    def concerns(self, caption: str) -> bool:
        """Whether a caption can change at all; a quick look spares taking it apart."""
        return True

    def _over(self, caption: str, known: dict[str, str]) -> str:
        tags = tags_of(caption)
        for tag in tags:
            if tag not in known:
                known[tag] = self.retold(tag)
        return rejoined(caption, tags, [known[tag] for tag in tags if known[tag]])


class EachPicture:
    """A rule that looks at one caption and what is known of its picture."""

    def reworded(self, caption: str, about: About) -> str:
        """The caption by this rule."""
        raise NotImplementedError

    def over(self, captions: Sequence[str], about: Sequence[About]) -> list[str]:
        """The captions by this rule."""
        return [self.reworded(caption, each) for caption, each in zip(captions, about, strict=True)]
