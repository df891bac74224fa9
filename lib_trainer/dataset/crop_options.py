"""The options of crops that differ from time to time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lib_trainer.core.options import labelled, option


@dataclass(frozen=True, kw_only=True)
class CropOptions:
    """Show another part of a picture each time instead of always the same."""

    place: Literal["centre", "random"] = option(
        "centre", "What of a picture overhangs its training size is cut away at both ends alike, or by chance."
    )
    jitter: float = option(
        0.0, "Up to this share of width and height is cut away besides, by chance; 0.02 is usual.", ge=0, le=0.5
    )
    variants: int = labelled(
        "Crops of each picture",
        option(4, "How many different crops of a picture are encoded before training; each time it is one of them.",
               ge=1, le=100),
    )  # fmt: skip

    @property
    def varied(self) -> bool:
        """Whether there is more than the one crop of the middle."""
        return self.place == "random" or self.jitter > 0
