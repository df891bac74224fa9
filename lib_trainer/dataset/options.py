"""The options of a dataset: which pictures, in which sizes, and what is done to captions while training."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from lib_trainer.core.errors import ConfigError
from lib_trainer.core.options import existing, labelled, option, section, sections
from lib_trainer.dataset.concept_options import ConceptOptions, check_concepts
from lib_trainer.dataset.crop_options import CropOptions
from lib_trainer.dataset.inpainting_options import InpaintingOptions
from lib_trainer.dataset.mask_options import MaskOptions
from lib_trainer.dataset.override_options import OverrideOptions
from lib_trainer.dataset.rating_options import RatingOptions
from lib_trainer.dataset.wording_options import WordingOptions
from lib_trainer.images.options import BucketOptions, CaptionOptions


@dataclass(frozen=True, kw_only=True)
class DatasetOptions:
    """The pictures to learn from and how their captions are varied."""

    folder: Path = labelled(
        "Folder of pictures",
        existing(..., "Folder with the training pictures; folders inside it are searched too.", group="first"),
    )
    repeats: int = option(
        1, "How often each picture comes in one epoch; a '10_name' folder multiplies it by 10.", ge=1, group="first"
    )
    trigger: str = labelled(
        "Trigger word",
        option("", "Word put before each caption; use it in prompts to call what was learned.", group="first"),
    )
    concepts: tuple[ConceptOptions, ...] = sections(
        ConceptOptions,
        "DreamBooth: things to learn that each have words of their own, and a class that must stay as it is. None "
        "trains on the pictures and their captions alone.",
    )
    balance: bool = labelled(
        "Balance the concepts",
        option(
            False, "Repeat the pictures of rarer concepts until all come about equally often; without concepts, those "
            "of each folder inside the folder.",
        ),
    )  # fmt: skip
    shuffle_tags: bool = option(False, "Shuffle the comma-separated tags of a caption each time it is used.")
    keep_tags: int = option(0, "The first tags stay in front, unshuffled and never dropped.", ge=0, unit="tags")
    tag_dropout: float = option(0.0, "Chance that a tag is left out each time.", ge=0, le=1)
    caption_dropout: float = option(0.0, "Chance that a picture is shown without its caption.", ge=0, le=1)
    flip: float = option(0.0, "Chance that a picture is mirrored; 0 for text or a side parting.", ge=0, le=1)
    background: str = option("white", "Colour behind transparent pictures: a name or #rrggbb.")
    captions: CaptionOptions = section(CaptionOptions)
    more_resolutions: tuple[int, ...] = option(
        (), "Further resolutions in which every picture is shown as well, such as 768.", ge=64, le=2048, unit="px"
    )
    buckets: BucketOptions = section(BucketOptions)
    crop: CropOptions = section(CropOptions)
    masks: MaskOptions = section(MaskOptions)
    rating: RatingOptions = section(RatingOptions)
    wording: WordingOptions = section(WordingOptions)
    overrides: OverrideOptions = section(OverrideOptions)
    inpainting: InpaintingOptions = section(InpaintingOptions)
    cache: Path | None = option(None, "Folder for encoded pictures, shared by all runs; empty means the trainer's own.")

    @property
    def resolutions(self) -> list[int]:
        """Every resolution in which pictures are shown, the first one first."""
        return [self.buckets.resolution, *self.more_resolutions]

    @property
    def buckets_of_each(self) -> list[BucketOptions]:
        """The buckets of each resolution."""
        return [replace(self.buckets, resolution=resolution) for resolution in self.resolutions]

    def __post_init__(self) -> None:
        check_concepts(self.folder, self.concepts)
        twice = [resolution for resolution, count in Counter(self.resolutions).items() if count > 1]
        if twice:
            raise ConfigError(
                f"'dataset.more_resolutions' names {twice[0]}, which is among the resolutions already; leave it out."
            )


def held_out_options(options: DatasetOptions, folder: Path) -> DatasetOptions:
    """The same dataset for another folder with nothing varied, so that losses on it can be compared.

    What a caption's wildcards and lines leave open is drawn once.
    """
    here = [concept for concept in options.concepts if concept.folder in (None, options.folder)]
    prompts = [concept.prompt for concept in here if concept.prompt.strip()]
    captions = replace(options.captions, prompt=prompts[0]) if prompts else options.captions
    wording = replace(options.wording, warmup=0.0, dropout_every=0)
    return replace(
        options, folder=folder, captions=captions, concepts=(), wording=wording, overrides=OverrideOptions(),
        repeats=1, balance=False, shuffle_tags=False, tag_dropout=0.0, caption_dropout=0.0, flip=0.0,
        more_resolutions=(), crop=CropOptions(), masks=MaskOptions(), rating=RatingOptions(),
        inpainting=InpaintingOptions(holes=1, whole=0.0),
    )  # fmt: skip
