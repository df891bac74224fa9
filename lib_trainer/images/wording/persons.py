"""A rule about several persons: whose hair is meant can't be told from tags."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from lib_trainer.core.options import option
from lib_trainer.images.wording.rule import EachCaption
from lib_trainer.images.wording.tags import Meant, key, retagged, split_list, tags_of

WHO = r"(?:girl|boy|other|woman|women|man|men|person|people|children|child|kid|lady|ladies|guy)s?"
NUMBERED = re.compile(rf"(\d+)\+? ?{WHO}")
MANY = re.compile(
    rf"(?:multiple|many|several|two|three|four|five|six|both) {WHO}|group of \w+|couple|crowd|everyone"
)
# A feature that one person has once -> the tags that say how.
FEATURES: dict[str, re.Pattern[str]] = {
    "length of hair": re.compile(r"(?:very |absurdly )?(?:short|medium|long) hair"),
    "hair": re.compile(r"(?!(?:very |absurdly )?(?:short|medium|long) )(?:[\w-]+ ){1,2}hair"),
    "haircut": re.compile(
        r"(?:\S+ )*(?:bun|buns|cut|braid|braids|ponytail|twintails|pigtails|drills|bangs|sidelocks|ahoge|dreadlocks)"
        r"|two side up|one side up|bald"
    ),
    "eyes": re.compile(r"(?:[\w-]+ ){1,2}eyes|heterochromia"),
    "sleeves": re.compile(r"(?:[\w-]+ ){1,2}sleeves|sleeveless"),
    "skin": re.compile(r"(?:dark|pale|tan|tanned|light|colored|blue|green|grey) ?skin(?:ned)?|tan"),
}


@dataclass(frozen=True)
class Several(EachCaption):
    """Where several persons are tagged, remove tags of hair, eyes and sleeves: nobody knows whose they are."""

    drop: Literal["contradicting", "all"] = option(
        "contradicting",
        "'contradicting' removes what is said in two ways ('red hair' and 'blue hair'), 'all' whatever could be one's.",
    )
    keep: tuple[str, ...] = option((), "Tags that stay all the same; * stands for anything.")

    def reworded(self, caption: str) -> str:
        tags = tags_of(caption)
        if persons(tags) < 2:
            return caption
        kept, unwanted = Meant(split_list(self.keep)), set[str]()
        for feature in FEATURES.values():
            said = {key(tag) for tag in tags if feature.fullmatch(key(tag)) and tag not in kept}
            if len(said) > 1 or self.drop == "all":
                unwanted |= said
        return retagged(caption, [tag for tag in tags if key(tag) not in unwanted])


def persons(tags: list[str]) -> int:
    """How many persons tags speak of, as far as can be told; 2 where it is `several`."""
    total = 0
    for tag in map(key, tags):
        found = NUMBERED.fullmatch(tag)
        if MANY.fullmatch(tag):
            return 2
        total += min(int(found[1]), 99) if found and len(found[1]) < 3 else 0
    return total
