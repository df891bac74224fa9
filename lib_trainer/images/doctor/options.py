"""The options of `check`: which pictures, what they are to teach, and how the training will batch them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lib_trainer.core.options import existing, labelled, option, section
from lib_trainer.images.options import BucketOptions, CaptionOptions

Purpose = Literal["subject", "style", "many things"]


@dataclass(frozen=True, kw_only=True)
class CheckOptions:
    """Examine a folder of pictures and its captions: what would harm a training, and what mends it."""

    folder: Path = existing(..., "Folder with your pictures; folders inside it are searched too.", group="first")
    learns: Purpose = labelled(
        "What they teach",
        option(
            "subject",
            "How many pictures are enough: a 'subject', such as a person or a thing, wants 5 to 20, a 'style' 50 to "
            "200, 'many things' thousands with 20 or more of each. Each folder inside the folder counts by itself.",
            group="first",
        ),
    )
    trigger: str = labelled(
        "Trigger word", option("", "The word that calls what is learned; it may stand in every caption.", group="first")
    )
    batch_size: int = option(1, "Pictures per forward pass in the training.", ge=1, le=256, group="first")
    repeats: int = option(1, "How often each picture is to come in one epoch of training.", ge=1)
    class_folder: Path | None = labelled(
        "Folder of class pictures",
        existing(None, "Pictures of the class that must stay as it is; their number is judged as well."),
    )
    background: str = option("white", "Colour behind transparent pictures: a name or #rrggbb.")
    captions: CaptionOptions = section(CaptionOptions)
    buckets: BucketOptions = section(BucketOptions)
