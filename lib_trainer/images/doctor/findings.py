"""What the doctor found: each finding a sentence with the pictures it is about and what would mend it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Level = Literal["bad", "warning", "info"]
Act = Literal["bin", "list", "step", "option"]
LEVELS: tuple[Level, ...] = ("bad", "warning", "info")


@dataclass(frozen=True)
class Fix:
    """What a button beside a finding does.

    `bin` moves its pictures to the bin and `list` shows them; `step` leads to a step and `option` to an option of one:
    `config` is then what is filled in there.
    """

    act: Act
    label: str
    step: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """One thing worth knowing; `files` are paths inside the folder, `told` says of some of them how bad it is."""

    kind: str
    level: Level
    title: str
    sentence: str
    files: Sequence[str] = ()
    fix: Fix | None = None
    told: Mapping[str, str] = field(default_factory=dict)

    def as_table(self) -> dict[str, Any]:
        """As it stands in `findings.json`."""
        return {**asdict(self), "files": list(self.files), "told": dict(self.told)}


def worst_first(findings: Sequence[Finding]) -> list[Finding]:
    """The findings by their level, else in their order."""
    return sorted(findings, key=lambda finding: LEVELS.index(finding.level))


def pictures(count: int) -> str:
    """`1 picture`, `2 pictures`."""
    return "1 picture" if count == 1 else f"{count} pictures"


def pictures_are(count: int) -> str:
    """`1 picture is`, `2 pictures are`."""
    return "1 picture is" if count == 1 else f"{count} pictures are"


def pictures_have(count: int) -> str:
    """`1 picture has`, `2 pictures have`."""
    return "1 picture has" if count == 1 else f"{count} pictures have"
