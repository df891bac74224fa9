"""Quantities that carry their unit: how often something happens, how long it takes, how large something is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

from lib_trainer.core.errors import ConfigError

Unit = Literal["epoch", "step", "minute"]
SHORTEST_SIDE, LONGEST_SIDE = 64, 2048  # of a picture that is drawn, in pixels


@dataclass(frozen=True)
class Every:
    """A rhythm such as `1 epoch`, `500 steps` or `15 minutes`; zero, written `never`, does not happen.

    Epochs and steps count completed ones, a step being one update of the weights; minutes are of wall time.
    """

    amount: int
    unit: Unit

    @classmethod
    def parse(cls, text: str) -> Every:
        """Read `never` or a whole number with its unit.

        Raises:
            ConfigError: the text is neither.
        """
        if text.strip().lower() == "never":
            return cls(0, "epoch")
        match = re.fullmatch(r"\s*(\d+)\s*(epoch|step|minute)s?\s*", text.lower())
        if match is None or int(match[1]) == 0:
            units = ", ".join(f"'2 {unit}s'" for unit in get_args(Unit))
            raise ConfigError(f"it must be a whole number with its unit, such as {units}, or 'never'.")
        return cls(int(match[1]), match[2])  # type: ignore[arg-type]

    def __str__(self) -> str:
        if not self.amount:
            return "never"
        return f"{self.amount} {self.unit}{'' if self.amount == 1 else 's'}"

    def due(self, unit: Unit, count: int) -> bool:
        """Whether it happens now that `count` of `unit` have been completed."""
        return self.amount > 0 and self.unit == unit and count > 0 and count % self.amount == 0


@dataclass(frozen=True)
class Size:
    """Width and height of a picture in pixels, written `512x768`."""

    width: int
    height: int

    @classmethod
    def parse(cls, text: str) -> Size:
        """Read two whole numbers with an x between them.

        Raises:
            ConfigError: the text is something else, or a side is out of bounds.
        """
        match = re.fullmatch(r"\s*(\d{1,5})\s*[x×]\s*(\d{1,5})\s*", text.lower())
        sides = (int(match[1]), int(match[2])) if match else (0, 0)
        if min(sides) < SHORTEST_SIDE or max(sides) > LONGEST_SIDE:
            bounds = f"{SHORTEST_SIDE} to {LONGEST_SIDE} px"
            raise ConfigError(f"it must be width x height, such as '512x768', each {bounds}.")
        return cls(*sides)

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


def duration(seconds: float) -> str:
    """`42 s`, `3 min 05 s` or `2 h 10 min`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def file_size(count: int) -> str:
    """A number of bytes in decimal units, as file managers and shops show it: `19.0 MB`."""
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if round(size, 1) < 1000 or unit == "GB":
            return f"{count} bytes" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    raise AssertionError("unreachable")
