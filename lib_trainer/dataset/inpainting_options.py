"""The options of training an inpainting model: which parts of a picture it is to draw anew."""

from __future__ import annotations

from dataclasses import dataclass

from lib_trainer.core.options import labelled, option


@dataclass(frozen=True, kw_only=True)
class InpaintingOptions:
    """Only for inpainting models: the holes in your pictures that they learn to fill."""

    holes: int = labelled(
        "Holes of each picture",
        option(4, "How many holes by chance are made for each picture; all are encoded beforehand.", ge=1, le=100),
    )
    whole: float = labelled(
        "Chance of no surroundings",
        option(0.25, "Chance that a whole picture is drawn anew, as text to image does.", ge=0, le=1),
    )
