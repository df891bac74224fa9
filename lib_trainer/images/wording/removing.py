"""Rules that take tags out of captions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

from lib_trainer.core.options import option
from lib_trainer.images.wording.rule import EachCaption, EachTag
from lib_trainer.images.wording.tags import Meant, key, rejoined, retagged, split_list, tags_of, unique

RATING = re.compile(r"rating ?[: ].*|rating")
RATING_WORDS = frozenset(("general", "sensitive", "questionable", "explicit", "safe", "nsfw", "sfw"))
QUALITY = re.compile(
    r"(best|amazing|great|high|good|normal|medium|low|bad|worst) quality|masterpiece|score \d+( up)?|source \w+"
)


@dataclass(frozen=True)
class Remove(EachTag):
    """Remove tags."""

    tags: tuple[str, ...] = option(..., "Tags to remove; * stands for anything, as in '* hair'.")

    @cached_property
    def _unwanted(self) -> Meant:
        return Meant(split_list(self.tags))

    def retold(self, tag: str) -> str:
        return "" if tag in self._unwanted else tag


@dataclass(frozen=True)
class Keep(EachTag):
    """Keep these tags only."""

    tags: tuple[str, ...] = option(..., "Tags to keep; * stands for anything, as in '* hair'.")

    @cached_property
    def _wanted(self) -> Meant:
        return Meant(split_list(self.tags))

    def retold(self, tag: str) -> str:
        return tag if tag in self._wanted else ""


@dataclass(frozen=True)
class Limit(EachCaption):
    """Keep the first tags only."""

    count: int = option(..., "How many tags stay.", ge=1)

    def reworded(self, caption: str) -> str:
        return retagged(caption, tags_of(caption)[: self.count])


@dataclass(frozen=True)
class Dedupe(EachCaption):
    """Remove tags that stand there twice, whatever their case; the first stays."""

    def reworded(self, caption: str) -> str:
        tags = tags_of(caption)
        return caption if len({key(tag) for tag in tags}) == len(tags) else rejoined(caption, tags, unique(tags))


@dataclass(frozen=True)
class Ratings(EachTag):
    """Remove ratings such as 'rating:safe'."""

    words: bool = option(True, "Remove the bare words general, sensitive, questionable, explicit, safe too.")
    quality: bool = option(False, "Remove quality tags too, such as 'best quality', 'masterpiece' and 'score_9'.")

    def retold(self, tag: str) -> str:
        known = key(tag)
        is_one = RATING.fullmatch(known) or (self.words and known in RATING_WORDS)
        return "" if is_one or (self.quality and QUALITY.fullmatch(known)) else tag


@dataclass(frozen=True)
class Generic(EachCaption):
    """Remove a general tag where a longer one ends with it: 'shirt' beside 'white shirt'."""

    except_for: tuple[str, ...] = option((), "Tags that stay all the same; * stands for anything.")

    @cached_property
    def _kept(self) -> Meant:
        return Meant(split_list(self.except_for))

    def reworded(self, caption: str) -> str:
        tags = tags_of(caption)
        ends = {end for tag in tags for end in _ends(tag)}
        return rejoined(caption, tags, [tag for tag in tags if key(tag) not in ends or tag in self._kept])


@lru_cache(maxsize=65_536)
def _ends(tag: str) -> tuple[str, ...]:
    """What the tag's key ends with, whole words each, without the tag itself."""
    words = key(tag).split()
    return tuple(" ".join(words[at:]) for at in range(1, len(words)))
