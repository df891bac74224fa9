"""Rules that take tags out of captions."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lib_trainer.core.options import option
from lib_trainer.images.wording.rule import EachCaption
from lib_trainer.images.wording.tags import Meant, key, retagged, split_list, tags_of, unique

RATING = re.compile(r"rating ?[: ].*|rating")
RATING_WORDS = frozenset(("general", "sensitive", "questionable", "explicit", "safe", "nsfw", "sfw"))
QUALITY = re.compile(
    r"(best|amazing|great|high|good|normal|medium|low|bad|worst) quality|masterpiece|score \d+( up)?|source \w+"
)


@dataclass(frozen=True)
class Remove(EachCaption):
    """Remove tags."""

    tags: tuple[str, ...] = option(..., "Tags to remove; * stands for anything, as in '* hair'.")

    def reworded(self, caption: str) -> str:
        unwanted = Meant(split_list(self.tags))
        return retagged(caption, [tag for tag in tags_of(caption) if tag not in unwanted])


@dataclass(frozen=True)
class Keep(EachCaption):
    """Keep these tags only."""

    tags: tuple[str, ...] = option(..., "Tags to keep; * stands for anything, as in '* hair'.")

    def reworded(self, caption: str) -> str:
        wanted = Meant(split_list(self.tags))
        return retagged(caption, [tag for tag in tags_of(caption) if tag in wanted])


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
        return retagged(caption, unique(tags_of(caption)))


@dataclass(frozen=True)
class Ratings(EachCaption):
    """Remove ratings such as 'rating:safe'."""

    words: bool = option(True, "Remove the bare words general, sensitive, questionable, explicit, safe too.")
    quality: bool = option(False, "Remove quality tags too, such as 'best quality', 'masterpiece' and 'score_9'.")

    def reworded(self, caption: str) -> str:
        return retagged(caption, [tag for tag in tags_of(caption) if not self._is_one(key(tag))])

    def _is_one(self, tag: str) -> bool:
        is_word = self.words and tag in RATING_WORDS
        return is_word or bool(RATING.fullmatch(tag)) or (self.quality and bool(QUALITY.fullmatch(tag)))


@dataclass(frozen=True)
class Generic(EachCaption):
    """Remove a general tag where a longer one ends with it: 'shirt' beside 'white shirt'."""

    except_for: tuple[str, ...] = option((), "Tags that stay all the same; * stands for anything.")

    def reworded(self, caption: str) -> str:
        tags, kept = tags_of(caption), Meant(split_list(self.except_for))
        keys = [key(tag) for tag in tags]
        ends = {" ".join(words[at:]) for words in (each.split() for each in keys) for at in range(1, len(words))}
        stay = [
            tag for tag, each in zip(tags, keys, strict=True) if each not in ends or tag in kept
        ]
        return retagged(caption, stay)
