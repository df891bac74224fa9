"""Networks whose layers have a rank and an alpha, with others for convolutions of more than one pixel."""

from __future__ import annotations

from dataclasses import dataclass

from lib_trainer.core.options import option
from lib_trainer.trainables.layered import LayeredOptions
from lib_trainer.trainables.places import Place


@dataclass(frozen=True)
class RankedOptions(LayeredOptions):
    """The options that say how large the additions are."""

    rank: int = option(
        16, "Size of the additions: more can learn more, and needs more pictures.", ge=1, le=1024, group="first"
    )
    alpha: float = option(16.0, "Strength of the additions; they are scaled by alpha / rank.", ge=0.001, le=4096)
    conv_rank: int = option(0, "Rank of the 3x3 convolutions' additions; 0 leaves convolutions alone.", ge=0, le=1024)
    conv_alpha: float = option(1.0, "Strength of the convolutions' additions.", ge=0.001, le=4096)

    def size(self, place: Place) -> tuple[int, float] | None:
        """Rank and alpha of the addition to that place, or None if it gets none."""
        if place.is_norm or (place.in_conv_block and not self.conv_rank):
            return None
        rank, alpha = (self.conv_rank, self.conv_alpha) if place.is_large else (self.rank, self.alpha)
        return (rank, alpha) if rank else None
