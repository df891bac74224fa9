"""The pictures that a dataset will hold, before any of them is encoded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lib_trainer.core.errors import ConfigError
from lib_trainer.core.events import Event, Notice
from lib_trainer.dataset.balance import balanced
from lib_trainer.dataset.concepts import Source, sources
from lib_trainer.dataset.masks import find_masks
from lib_trainer.dataset.options import DatasetOptions
from lib_trainer.dataset.order import Size
from lib_trainer.dataset.overrides import Overrides, with_overrides
from lib_trainer.dataset.ratings import with_ratings
from lib_trainer.images.buckets import training_sizes
from lib_trainer.images.captions import NO_CAPTION
from lib_trainer.images.folder import scan
from lib_trainer.images.known_sizes import KnownSizes
from lib_trainer.images.pictures import Picture, PictureFolder
from lib_trainer.images.report import describe_pictures, picture_notices


@dataclass(frozen=True)
class Prospect:
    """One picture in one size: its repeats by the folder and the options together, and the size in training."""

    picture: Picture
    repeats: int
    bucket: Size
    rating: float = 1.0
    concept: int | None = None
    own: Overrides = Overrides()

    @property
    def path(self) -> Path:
        return self.picture.path

    @property
    def caption(self) -> str:
        return self.picture.caption

    @property
    def captioned(self) -> bool:
        """Whether it has a caption, be it its own or the prompt for all."""
        return self.picture.caption_source != NO_CAPTION


def check_step(options: DatasetOptions, pixels_per_latent: int) -> None:
    """Check that the pictures' sides fit a model's latents.

    Raises:
        ConfigError: they don't.
    """
    if options.buckets.step % pixels_per_latent:
        raise ConfigError(
            f"'buckets.step' is {options.buckets.step}; this model needs a multiple of {pixels_per_latent} px."
        )


def prospects(found: PictureFolder, options: DatasetOptions) -> list[Prospect]:
    """What becomes of the pictures of a scan: at several resolutions each picture comes several times.

    Raises:
        ConfigError: no size fulfils all options together.
    """
    sizes = training_sizes([(picture.width, picture.height) for picture in found.pictures], options.buckets_of_each)
    return [
        Prospect(picture, picture.repeats * options.repeats, size)
        for picture, each in zip(found.pictures, sizes, strict=True)
        for size in each
    ]


@dataclass(frozen=True)
class Survey:
    """What a folder holds for training, how many files in it can't be used, and what is to be told of it.

    `pictures` has a picture as often as it has sizes in training.
    """

    pictures: list[Prospect]
    skipped: int
    report: list[Event]

    @property
    def files(self) -> list[Prospect]:
        """Each picture once."""
        return list({picture.path: picture for picture in self.pictures}.values())


def survey(options: DatasetOptions, cache: Path, on_progress: Callable[[int, int], None]) -> Survey:
    """Scan the folder and those of the concepts; what was looked at before and is as it was is not decoded again.

    `on_progress(done, total)` counts files; what it raises ends the scan.

    Raises:
        DataError: there is no such folder, no readable picture in it, or a mask or the table of ratings can't be used.
        ConfigError: the sizes, the source of the captions, or the folders contradict each other.
        OutputError: the cache can't be written.
    """
    training_sizes([], options.buckets_of_each)  # whether there are any, before a long scan
    parts = [_survey(source, cache, on_progress) for source in sources(options)]
    even, told = balanced([prospect for part in parts for prospect in part.pictures], options)
    rated, notices = with_ratings(even, options)
    own, further = with_overrides(rated, options.overrides, options.folder)
    report = [*(event for part in parts for event in part.report), *(Notice(message) for message in told)]
    found = Survey(own, sum(part.skipped for part in parts), report)
    for message in (*_masks([one.picture for one in found.files], options, cache), *notices, *further):
        report.append(Notice(message, level="warning"))
    return found


def _survey(source: Source, cache: Path, on_progress: Callable[[int, int], None]) -> Survey:
    options = source.options
    known = KnownSizes(options.cache or cache, options.folder)
    found = source.picked(scan(options.folder, options.captions, on_progress, known.measure))
    known.save()
    report = [*picture_notices(found), *describe_pictures(found, options.buckets_of_each, options.repeats)]
    pictures = [replace(prospect, concept=source.concept) for prospect in prospects(found, options)]
    return Survey(pictures, len(found.skipped), report)


def _masks(pictures: Sequence[Picture], options: DatasetOptions, cache: Path) -> list[str]:
    """What is to be told of the masks, once they have proved to be usable."""
    if options.masks.folder is None:
        return []
    known = KnownSizes(options.cache or cache, options.masks.folder)
    notices = find_masks(pictures, options, known.measure).notices
    known.save()
    return notices
