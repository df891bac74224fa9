"""The options of masks: which parts of a picture are learned."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lib_trainer.core.options import existing, labelled, option


@dataclass(frozen=True, kw_only=True)
class MaskOptions:
    """Learn only parts of each picture: what is opaque in it, or white in a mask that you painted."""

    transparency: bool = labelled(
        "Learn only what is opaque",
        option(False, "What is transparent in a picture does not count, or counts less."),
    )
    folder: Path | None = labelled(
        "Folder of masks",
        existing(
            None,
            "Folder with black and white pictures, named and sized as the pictures; white is learned. It goes before "
            "transparency; a picture without a mask counts whole.",
        ),
    )
    unmasked_weight: float = labelled(
        "Weight outside the mask", option(0.1, "How much the parts outside the mask still count.", ge=0, le=1)
    )
    even_areas: bool = option(
        False, "A picture counts the same however small the part is that its mask shows; else small parts count little."
    )
    unmasked_steps: float = labelled(
        "Chance of no mask", option(0.1, "Chance that a picture is shown as if it had no mask.", ge=0, le=1)
    )

    @property
    def wanted(self) -> bool:
        """Whether there are masks at all."""
        return self.transparency or self.folder is not None
