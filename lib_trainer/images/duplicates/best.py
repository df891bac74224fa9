"""Which of several copies of a picture to keep, and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lib_trainer.core.natural_order import natural_key
from lib_trainer.images.buckets import Size
from lib_trainer.images.duplicates.quality import LOSSLESS, Quality, effective_pixels

POOR = 30  # so much below the best's, and a JPEG's compression counts against it


@dataclass(frozen=True)
class Member:
    """One picture of a group; `changed` is the time of its last change in seconds since 1970.

    `quality` is None where it was not looked at, being far smaller than the others, or can't be read any more.
    """

    file: str
    size: Size
    bytes: int
    changed: float
    caption: str
    quality: Quality | None


@dataclass(frozen=True)
class Rule:
    """Those that are worse than the best by more than `slack` are out; `words` is why the best one stays then."""

    words: str
    worth: Callable[[Member], float]
    slack: float = 0.0
    is_relative: bool = False


RULES = (
    Rule("the only one without a bar of text", lambda member: 0.0 if _quality(member).bar else 1.0),
    Rule("less compressed", lambda member: float(_quality(member).compression), slack=POOR),
    Rule(
        "the most detail",
        lambda member: effective_pixels(member.size, _quality(member)),
        slack=0.03,
        is_relative=True,
    ),
    Rule("the one with a caption", lambda member: float(bool(member.caption))),
    Rule("the longest caption", lambda member: float(len(member.caption))),
    Rule("the oldest file", lambda member: -member.changed),
)
ALL_ALIKE = "the first by name; they are equally good"
UNKNOWN = Quality(0.0, LOSSLESS, 0.0)


def best_of(members: Sequence[Member]) -> tuple[Member, str]:
    """The one to keep, and why it is kept."""
    left, why = list(members), ALL_ALIKE
    for rule in RULES:
        highest = max(map(rule.worth, left))
        least = highest * (1 - rule.slack) if rule.is_relative else highest - rule.slack
        kept = [member for member in left if rule.worth(member) >= least]
        why = rule.words if len(kept) < len(left) else why
        left = kept
        if len(left) == 1:
            break
    return min(left, key=lambda member: (len(member.file), natural_key(member.file))), why


def _quality(member: Member) -> Quality:
    return member.quality or UNKNOWN
