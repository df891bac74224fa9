"""A rule about one and many: `cat` and `cats` in one caption say the same."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from lib_trainer.core.options import option
from lib_trainer.images.wording.rule import EachCaption
from lib_trainer.images.wording.tags import Meant, key, retagged, split_list, tags_of, unique

IRREGULAR = {
    "children": "child", "feet": "foot", "geese": "goose", "men": "man", "mice": "mouse", "people": "person",
    "teeth": "tooth", "women": "woman", "gentlemen": "gentleman", "knives": "knife", "leaves": "leaf", "lives": "life",
    "loaves": "loaf", "scarves": "scarf", "shelves": "shelf", "wives": "wife", "wolves": "wolf", "halves": "half",
    "horses": "horse", "houses": "house", "roses": "rose", "noses": "nose", "vases": "vase", "dresses": "dress",
    "shoes": "shoe", "cookies": "cookie", "movies": "movie", "zombies": "zombie", "ties": "tie", "pies": "pie",
    "axes": "axe", "heroes": "hero", "potatoes": "potato", "tomatoes": "tomato", "buses": "bus", "cacti": "cactus",
}  # fmt: skip
# Words that end as if there were many, and have no other form, or one that means something else.
ALWAYS_SO = frozenset((
    "glasses", "sunglasses", "eyeglasses", "goggles", "jeans", "pants", "shorts", "trousers", "tights",
    "leggings", "overalls", "pajamas", "scissors", "tweezers", "clothes", "stairs", "binoculars", "headphones",
    "earphones", "thanks", "news", "series", "species", "bus", "gas", "lens", "iris", "cactus", "octopus",
    "virus", "canvas", "atlas", "chess", "dress", "grass", "glass", "cross", "moss", "compass", "mattress",
    "princess", "goddess", "waitress", "actress", "kiss", "focus", "bonus", "status", "circus", "arms",
    "christmas", "always", "bangs", "twintails", "pigtails", "paris", "texas", "alas", "wings", "arts",
    "graphics",
))  # fmt: skip
COUNTED = re.compile(r"(\d+\+?|multiple|many|several|two|three|four|five|six) ?\w+")


@dataclass(frozen=True)
class Singular(EachCaption):
    """Write one form of a tag where a caption has one and many of it: 'cat' and 'cats'."""

    to: Literal["many where both", "always one"] = option(
        "many where both",
        "'many where both' drops 'cat' beside 'cats'; 'always one' writes 'cat' for every 'cats'. Numbers ('2girls') "
        "and words such as 'glasses' stay.",
    )
    except_for: tuple[str, ...] = option((), "Tags that stay as they are; * stands for anything.")

    def reworded(self, caption: str) -> str:
        tags, kept = tags_of(caption), Meant(split_list(self.except_for))
        if self.to == "always one":
            again = [tag if tag in kept else singular(tag) for tag in tags]
            return retagged(caption, unique(again) if again != tags else tags)
        many = {key(singular(tag)) for tag in tags if key(singular(tag)) != key(tag)}
        return retagged(caption, [tag for tag in tags if key(tag) not in many or tag in kept])


def singular(tag: str) -> str:
    """The tag with its last word in the singular, where we know how."""
    if COUNTED.fullmatch(key(tag)):
        return tag
    found = re.fullmatch(r"(.*?)([A-Za-z]+)", tag, re.DOTALL)
    return f"{found[1]}{_one(found[2])}" if found else tag


def _one(word: str) -> str:
    small = word.lower()
    if small in IRREGULAR:
        one = IRREGULAR[small]
        return one if word[0].islower() else one.capitalize()
    if len(small) < 4 or small in ALWAYS_SO or not small.endswith("s") or small.endswith(("ss", "us", "is", "ous")):
        return word
    if small.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-2] if small.endswith(("sses", "xes", "zes", "ches", "shes")) else word[:-1]
