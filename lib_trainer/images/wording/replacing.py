"""Rules that put other words in the place of words: replacements, synonyms, regular expressions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from lib_trainer.core.errors import ConfigError
from lib_trainer.core.options import option
from lib_trainer.images.wording.patterns import replaced
from lib_trainer.images.wording.rule import About, EachCaption
from lib_trainer.images.wording.tags import Meant, key, retagged, tags_of, unique

ARROW = "=>"
MOST_ROUNDS = 100
LONGEST = 20_000


@dataclass(frozen=True)
class Replace(EachCaption):
    """Replace tags, words or text."""

    pairs: tuple[str, ...] = option(..., "Each 'this => that'; nothing behind the arrow removes it.")
    within: Literal["tags", "words", "text"] = option(
        "tags", "'tags' replaces whole tags (* stands for anything), 'words' whole words, 'text' wherever it stands."
    )
    until_stable: bool = option(False, "Go through the list again until nothing changes any more.")
    match_case: bool = option(False, "Capitals count.")

    def __post_init__(self) -> None:
        for pair in self.pairs:
            before, arrow, _ = pair.partition(ARROW)
            if not arrow or not before.strip():
                raise ConfigError(f"'pairs' has {pair!r}; write 'this {ARROW} that'.")

    def reworded(self, caption: str) -> str:
        seen = [caption]
        for _ in range(MOST_ROUNDS if self.until_stable else 1):
            again = self._once(seen[-1])
            if again == seen[-1]:
                break
            if again in seen or len(again) > LONGEST:
                raise ConfigError(
                    f"'pairs' never ends on {caption[:80]!r}: {'; '.join(self.pairs)[:200]} goes round and round. Take "
                    "one of them out, or switch 'until_stable' off."
                )
            seen.append(again)
        return seen[-1]

    def _once(self, caption: str) -> str:
        for pair in self.pairs:
            before, _, after = (part.strip() for part in pair.partition(ARROW))
            caption = self._pair(caption, before, after)
        return caption

    def _pair(self, caption: str, before: str, after: str) -> str:
        if self.within == "tags":
            return retagged(caption, self._tags(tags_of(caption), before, after))
        edges = (r"(?<!\w)", r"(?!\w)") if self.within == "words" else ("", "")
        found = re.compile(f"{edges[0]}{re.escape(before)}{edges[1]}", 0 if self.match_case else re.IGNORECASE)
        again = found.sub(lambda _: after, caption)
        return again if again == caption or after else _without_gaps(again)

    def _tags(self, tags: list[str], before: str, after: str) -> list[str]:
        meant_tags = Meant((before,))
        changed: list[str] = []
        for tag in tags:
            meant = tag == before if self.match_case else tag in meant_tags
            changed += tags_of(after) if meant else [tag]
        return changed


def _without_gaps(text: str) -> str:
    """The text without the double spaces and commas that a removed word leaves."""
    return re.sub(r"\s+,", ",", re.sub(r"\s{2,}", " ", text)).strip(" ,")


@dataclass(frozen=True)
class Synonyms(EachCaption):
    """Write tags that mean the same in one way."""

    groups: tuple[str, ...] = option(
        (
            "grey hair, gray hair",
            "t-shirt, tshirt, tee shirt, tee",
            "smiling, smile",
            "looking at viewer, looking at the viewer, looking at camera, looking at the camera",
            "close-up, closeup, close up",
            "black and white, monochrome photo, b&w",
            "outdoors, outside, outdoor",
            "indoors, inside, indoor",
        ),
        "Each a list of tags with commas between them; the first is what stays.",
    )

    def reworded(self, caption: str) -> str:
        said = {key(tag): group[0] for group in map(tags_of, self.groups) for tag in group[1:]}
        tags = tags_of(caption)
        again = [said.get(key(tag), tag) for tag in tags]
        return retagged(caption, unique(again) if again != tags else tags)


@dataclass(frozen=True)
class Pattern:
    """Replace what a regular expression finds."""

    pattern: str = option(..., "The regular expression, as Python writes them.")
    into: str = option("", "What comes in its place; \\1 is what the first group found.")
    within: Literal["text", "tags"] = option("text", "'tags' looks at each tag by itself.")
    match_case: bool = option(True, "Capitals count.")

    def over(self, captions: Sequence[str], about: Sequence[About]) -> list[str]:
        if self.within == "text":
            return replaced(self.pattern, self.into, captions, self.match_case)
        tags = [tags_of(caption) for caption in captions]
        flat = iter(replaced(self.pattern, self.into, [tag for each in tags for tag in each], self.match_case))
        again = [[tag for _ in each for tag in tags_of(next(flat))] for each in tags]
        return [retagged(caption, each) for caption, each in zip(captions, again, strict=True)]
