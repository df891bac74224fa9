"""The options of rated pictures: from epoch to epoch fewer are shown, and the better ones stay longer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lib_trainer.core.options import existing, labelled, option


@dataclass(frozen=True, kw_only=True)
class RatingOptions:
    """Show fewer pictures from epoch to epoch; those that you rated higher stay longer."""

    last_epoch: float = labelled(
        "Share in the last epoch",
        option(
            1.0,
            "Share of the pictures that the last epoch shows, drawn by their ratings; the first shows all, the others "
            "lie between. 1 shows all always, 0.5 is usual for large sets of mixed quality.",
            ge=0.01,
            le=1,
        ),
    )
    file: Path | None = labelled(
        "Table of ratings",
        existing(
            None,
            "Text file with lines such as 'cat.jpg, 4': a picture with 4 is drawn four times as readily as one with 1, "
            "which is what pictures have that are not in it.",
        ),
    )
