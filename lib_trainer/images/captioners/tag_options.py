"""The options of tags, whichever tagger found them: which are written, how they are spelt, and in what order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lib_trainer.core.errors import ConfigError
from lib_trainer.core.options import option

ARROW = "->"
Place = Literal["none", "first", "last"]


@dataclass(frozen=True)
class TagOptions:
    """Which tags are written, how, and in what order."""

    order: Literal["confidence", "list", "alphabet"] = option(
        "confidence", "Surest tags first, or in the order of the model's list, or of the alphabet."
    )
    characters_first: bool = option(False, "Names of characters come before all other tags.")
    rating: Place = option("none", "Where the tag goes that rates the picture (general, sensitive, ...).")
    quality: Place = option("none", "Where the tag of quality goes, for taggers that know one.")
    first: tuple[str, ...] = option((), "Tags that come first wherever they are found, in this order, such as '1girl'.")
    exclude: tuple[str, ...] = option((), "Tags that are never written.")
    replace: tuple[str, ...] = option(
        (), f"Tags that are written otherwise, each 'old {ARROW} new'; nothing behind the arrow leaves the tag out."
    )
    expand_characters: bool = option(
        False, "A character's series becomes a tag of its own: 'saber (fate)' is written 'saber, fate'."
    )
    spaces: bool = option(True, "Spaces for underscores, as people write prompts; faces such as ^_^ stay.")
    escape_brackets: bool = option(
        False, r"Brackets get a backslash, \( and \), so that prompts do not read them as emphasis."
    )

    def replacements(self) -> dict[str, str]:
        """What is written instead of what, by `key_of`.

        Raises:
            ConfigError: one of them is not 'old -> new'.
        """
        pairs = {}
        for told in self.replace:
            old, arrow, new = told.partition(ARROW)
            if not arrow or not old.strip():
                raise ConfigError(f"'tags.replace' has {told!r}; write it as 'old {ARROW} new'.")
            pairs[key_of(old)] = new.strip()
        return pairs


def key_of(tag: str) -> str:
    """What makes two spellings the same tag: letters in either case, spaces or underscores."""
    return " ".join(tag.replace("_", " ").split()).casefold()
