"""What a folder holds for training: each picture with its caption, its repeats, and how it is scaled and cropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lib_trainer.core.errors import DataError
from lib_trainer.core.events import Notice
from lib_trainer.dataset.balance import balanced
from lib_trainer.dataset.cache import View
from lib_trainer.dataset.concepts import Source, sources
from lib_trainer.dataset.context import DatasetContext
from lib_trainer.dataset.crops import crops
from lib_trainer.dataset.digests import digest_index, picture_digests
from lib_trainer.dataset.mask_cache import Mask
from lib_trainer.dataset.masks import find_masks
from lib_trainer.dataset.options import DatasetOptions
from lib_trainer.dataset.order import Size
from lib_trainer.dataset.overrides import Overrides, with_overrides
from lib_trainer.dataset.progress import PictureProgress
from lib_trainer.dataset.prospects import Prospect, prospects
from lib_trainer.dataset.ratings import with_ratings
from lib_trainer.images.buckets import cover, training_sizes
from lib_trainer.images.folder import scan
from lib_trainer.images.pictures import Picture, PictureFolder
from lib_trainer.images.report import describe_pictures, picture_notices


@dataclass(frozen=True)
class Entry:
    """One picture to learn from, in one size.

    The caption is as it was found; the repeats are those of the folder and the options together; `size` is the
    picture's own, before it is scaled; `view` shows its middle, `crops` are what is shown of it, where that is not the
    middle; `concept` is the number of the concept that it shows, from 0.
    """

    view: View
    caption: str
    repeats: int
    size: Size
    mask: Mask | None = None
    crops: tuple[View, ...] = ()
    rating: float = 1.0
    concept: int | None = None
    own: Overrides = Overrides()

    @property
    def path(self) -> Path:
        return self.view.path

    @property
    def bucket(self) -> Size:
        """Width and height in pixels after scaling and cropping."""
        return self.view.size

    @property
    def shown(self) -> tuple[View, ...]:
        """The views of which one is shown each time, mirrored or not."""
        return self.crops or (self.view,)

    def flip(self, usual: float) -> float:
        """Chance that it is mirrored, where `usual` is that of pictures without overrides."""
        return usual if self.own.flip is None else self.own.flip

    def views(self, flip: float) -> list[View]:
        """What must be encoded to show this picture, where pictures are mirrored with the chance `flip`."""
        mirrored_too = self.flip(flip) > 0
        return [each for view in self.shown for each in ((view, view.mirror()) if mirrored_too else (view,))]


def find_entries(options: DatasetOptions, context: DatasetContext) -> list[Entry]:
    """Scan the folder and those of the concepts, and report what they hold, before anything is encoded.

    Raises:
        DataError: there is no such folder, no readable picture in it, or a mask or the table of ratings can't be used.
        ConfigError: the sizes, the source of the captions, or the folders contradict each other.
        StopRequested: asked for during the scan.
    """
    training_sizes([], options.buckets_of_each)  # whether there are any, before a long scan
    scanned = [(source, _scanned(source, context)) for source in sources(options)]
    masks = _masks([picture for _, found in scanned for picture in found.pictures], options, context)
    entries = [
        entry
        for source, found in scanned
        for entry in entries_of(prospects(found, source.options), masks, source, context)
    ]
    if not entries:
        raise DataError(f"No picture in {options.folder} or in the folders of the concepts can be read any more.")
    even, told = balanced(entries, options)
    for message in told:
        context.emit(Notice(message))
    rated, notices = with_ratings(even, options)
    own, further = with_overrides(rated, options.overrides, options.folder)
    for message in (*notices, *further):
        context.warn(message)
    return own


def _scanned(source: Source, context: DatasetContext) -> PictureFolder:
    options = source.options
    progress = PictureProgress(context.emit, "Looking at pictures")

    def look(done: int, total: int) -> None:
        context.check_stop()
        progress.tell(done, total)

    found = source.picked(scan(options.folder, options.captions, look))
    for event in (*picture_notices(found), *describe_pictures(found, options.buckets_of_each, options.repeats)):
        context.emit(event)
    return found


def _masks(pictures: Sequence[Picture], options: DatasetOptions, context: DatasetContext) -> dict[Path, Mask]:
    """The pictures' masks that are files of their own."""
    if options.masks.folder is None:
        return {}
    found = find_masks(pictures, options)
    for message in found.notices:
        context.warn(message)
    digests = _digests(list(found.files.values()), options.masks.folder, context)
    # One that is gone by now is named when it is read.
    return {path: Mask(mask, digests.get(mask, ""), opacity=False) for path, mask in found.files.items()}


def entries_of(
    found: Sequence[Prospect], masks: dict[Path, Mask], source: Source, context: DatasetContext
) -> list[Entry]:
    """The entries of pictures that were found, with their masks; one that can't be read any more is left out and named.

    Raises:
        OutputError: the cache can't be written.
    """
    options = source.options
    if not found:
        return []  # all of them belong to concepts with folders of their own
    digests = _digests([prospect.path for prospect in found], options.folder, context)
    entries = []
    for prospect in found:
        if prospect.path not in digests:
            context.warn(f"{prospect.path} is left out: it can't be read any more.")
            continue
        size = (prospect.picture.width, prospect.picture.height)
        scaled, box = cover(*size, prospect.bucket)
        view = View(prospect.path, digests[prospect.path], scaled, box)
        opacity = Mask(view.path, view.digest, opacity=True) if options.masks.transparency else None
        mask = masks.get(prospect.path, opacity)
        shown = crops(view, options.crop, context.seed)
        entries.append(Entry(view, prospect.caption, prospect.repeats, size, mask, shown, concept=source.concept))
    return entries


def _digests(paths: list[Path], folder: Path, context: DatasetContext) -> dict[Path, str]:
    return picture_digests(paths, digest_index(context.cache, folder))
