"""Rules that put tags into another order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from lib_trainer.core.options import option
from lib_trainer.images.wording.rule import About, EachCaption
from lib_trainer.images.wording.tags import Meant, key, keys_of, retagged, split_list, tags_of


@dataclass(frozen=True)
class Sort:
    """Sort tags."""

    by: Literal["alphabet", "length", "often"] = option(
        "alphabet", "'length' puts short ones first, 'often' those first that most of these pictures have."
    )
    backwards: bool = option(False, "The other way round.")
    keep_first: int = option(0, "So many tags stay in front as they are, the trigger word among them.", ge=0)

    def over(self, captions: Sequence[str], about: Sequence[About]) -> list[str]:
        counts: Counter[str] = Counter()
        if self.by == "often":
            for caption in captions:
                counts.update(set(keys_of(caption)))
        return [self._sorted(caption, counts) for caption in captions]

    def _sorted(self, caption: str, counts: Counter[str]) -> str:
        tags = tags_of(caption)
        ways: dict[str, Callable[[str], tuple[int, str]]] = {
            "alphabet": lambda tag: (0, key(tag)),
            "length": lambda tag: (len(tag), ""),
            "often": lambda tag: (-counts[key(tag)], ""),
        }
        rest = sorted(tags[self.keep_first :], key=ways[self.by], reverse=self.backwards)
        return retagged(caption, [*tags[: self.keep_first], *rest])


@dataclass(frozen=True)
class Order(EachCaption):
    """Put some tags first and others last."""

    first: tuple[str, ...] = option((), "Tags that come first, in this order; * stands for anything.")
    last: tuple[str, ...] = option((), "Tags that come last, in this order; * stands for anything.")

    def reworded(self, caption: str) -> str:
        first = [Meant((name,)) for name in split_list(self.first)]
        last = [Meant((name,)) for name in split_list(self.last)]

        def place(tag: str) -> tuple[int, int]:
            for part, names in ((0, first), (2, last)):
                for at, name in enumerate(names):
                    if tag in name:
                        return part, at
            return 1, 0

        return retagged(caption, sorted(tags_of(caption), key=place))
