"""The options of the search for duplicates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lib_trainer.core.options import existing, labelled, option, section
from lib_trainer.images.options import CaptionOptions


@dataclass(frozen=True, kw_only=True)
class DuplicateOptions:
    """Find pictures that are there more than once, also resized, cropped, changed or mirrored, and propose the best."""

    folder: Path = existing(..., "Folder with your pictures; folders inside it are searched too.", group="first")
    similarity: float = option(
        0.9,
        "How alike two pictures must be, from 0 to 1: higher finds fewer, lower also finds other shots of one scene.",
        ge=0.5,
        le=1,
        group="first",
    )
    mirrored: bool = labelled(
        "Find mirrored pictures too", option(True, "They are listed apart: mirroring is a change that one may want.")
    )
    bin: Literal["nothing", "same files", "copies"] = labelled(
        "Move to the bin",
        option(
            "nothing",
            "What to move into the bin beside the folder at once, all but the best of each group: 'nothing' only lists "
            "them, 'same files' those that are the same to the byte, 'copies' the altered ones as well. Mirrored ones "
            "always stay.",
        ),
    )
    captions: CaptionOptions = section(CaptionOptions)
