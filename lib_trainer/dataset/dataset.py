"""A folder of pictures ready for training: its entries, the batches of each epoch, their latents and captions."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from lib_trainer.core.errors import DataError
from lib_trainer.dataset.cache import LatentCache, Latents, View
from lib_trainer.dataset.captions import steady_captions, vary_caption
from lib_trainer.dataset.context import DatasetContext
from lib_trainer.dataset.drawing_lots import Lots
from lib_trainer.dataset.encoding import encode_views
from lib_trainer.dataset.entries import Entry
from lib_trainer.dataset.holes import around_hole, hole_of, with_holes
from lib_trainer.dataset.mask_cache import MaskCache
from lib_trainer.dataset.options import DatasetOptions
from lib_trainer.dataset.order import Showing, Size, epoch_batches, steps_per_epoch
from lib_trainer.dataset.prior import Prior, with_prior
from lib_trainer.dataset.progress import PictureProgress

if TYPE_CHECKING:
    from lib_trainer.models.model import Model

BatchPlan = list[Showing]


@dataclass(frozen=True)
class Batch:
    """Pictures of one size: mean and std of their latents, each [n, channels, height, width] in fp32 on the CPU.

    `frames` [n, 6] tells how each was scaled and cropped, as `Model.predict` has it; `masks` [n, height, width] how
    much each place of a latent counts, 0 to 1; without them all of it counts; `weights` [n] how much the loss of each
    counts, where side files may tell that. `around` [n, 5, height, width] is what an inpainting model is told. The
    last `prior` of them show the classes of DreamBooth's concepts, which are to stay as they are.
    """

    mean: torch.Tensor
    std: torch.Tensor
    captions: list[str]
    paths: list[Path]
    frames: torch.Tensor
    masks: torch.Tensor | None = None
    weights: torch.Tensor | None = None
    around: torch.Tensor | None = None
    prior: int = 0

    @property
    def to_learn(self) -> int:
        """How many pictures, the first ones, are to be learned."""
        return len(self.captions) - self.prior


class Dataset:
    """Entries in the order of their paths; all that happens by chance follows from the seed and the epoch alone.

    `prior` may be set to what each batch shows besides.
    """

    def __init__(
        self,
        entries: list[Entry],
        options: DatasetOptions,
        model: Model,
        cache: LatentCache,
        context: DatasetContext,
    ) -> None:
        self.entries = entries
        self.context = context
        self.prior: Prior | None = None
        self._options = options
        self._model = model
        self._cache = cache
        self._masks = MaskCache(context.cache, model.pixels_per_latent, context.warn)

    def batches_in(self, epoch: int) -> int:
        """How many batches an epoch has."""
        return steps_per_epoch(self._buckets, self._repeats(epoch), self.context.batch_size)

    @cached_property
    def epoch_lengths(self) -> list[int]:
        """How many batches the epochs have; one number where all have as many."""
        return [self.batches_in(epoch) for epoch in range(self._lots.differing(self.entries))]

    @property
    def steady_captions(self) -> list[str] | None:
        """Every caption that can occur, or None where chance makes too many to list."""
        steady = steady_captions([entry.caption for entry in self.entries], self._options)
        dropped = [""] if any(entry.own.caption_dropout for entry in self.entries) else []
        return None if steady is None else list(dict.fromkeys(steady + dropped))

    def batches(self, epoch: int) -> list[BatchPlan]:
        """What each batch of an epoch will show."""
        return epoch_batches(self._buckets, self._repeats(epoch), self.context.batch_size, self.context.seed, epoch)

    def load(self, plan: BatchPlan, epoch: int, part: float = 0.0) -> Batch:
        """The latents and captions of one batch; a cache file that was damaged or removed meanwhile is made anew.

        `part` of the epoch is past.

        Raises:
            DataError: that was needed, and the picture or its mask can't be read any more.
        """
        entries = [self.entries[showing.entry] for showing in plan]
        own_weights = torch.tensor([entry.own.loss_weight for entry in entries])
        views = [self._view(showing, epoch) for showing in plan]
        latents = [self._latents(view) for view in views]
        batch = Batch(
            mean=torch.stack([mean for mean, _ in latents]),
            std=torch.stack([std for _, std in latents]),
            captions=[self._caption(showing, epoch, part) for showing in plan],
            paths=[entry.path for entry in entries],
            frames=torch.tensor([view.frame(entry.size) for view, entry in zip(views, entries, strict=True)]),
            masks=self._masks_of(plan, views, epoch) if self._options.masks.wanted else None,
            weights=own_weights if self._options.overrides.wanted else None,
            around=self._around(plan, views, epoch) if self._model.is_inpainting else None,
        )
        return batch if self.prior is None else with_prior(batch, self.prior.beside(plan, batch, epoch))

    def prepare_masks(self) -> None:
        """Make those masks that no cache holds, and say it where they show nothing or everything.

        Raises:
            DataError: a mask can't be read.
            StopRequested: asked for meanwhile; the masks made until then are kept.
            OutputError: the cache can't be written.
        """
        masked = [(entry.mask, view) for entry in self.entries if entry.mask is not None for view in entry.shown]
        progress = PictureProgress(self.context.emit, "Preparing masks")

        def made(done: int, total: int) -> None:
            self.context.check_stop()
            progress.tell(done, total)

        for path, reason in self._masks.prepare(masked, made).items():
            raise DataError(f"The mask {path} can't be used: {reason}.")
        read = [(mask.path, self._masks.read(mask, view)) for mask, view in masked]
        visible = {path for path, mask in read if mask.any()}
        for path in dict.fromkeys(path for path, _ in read if path not in visible):
            self.context.warn(f"The mask {path} is black where its picture is shown; it leaves nothing of it to learn.")
        if read and all(bool((mask == 1).all()) for _, mask in read):
            self.context.warn("No picture has anything masked out, so masks change nothing; is it the right folder?")

    @property
    def _buckets(self) -> list[Size]:
        return [entry.bucket for entry in self.entries]

    def _repeats(self, epoch: int) -> list[int]:
        """Of each entry in an epoch."""
        return self._lots.repeats(self.entries, epoch)

    @property
    def _lots(self) -> Lots:
        return Lots(self._options.rating.last_epoch, self.context.epochs, self.context.seed)

    def _caption(self, showing: Showing, epoch: int, part: float) -> str:
        random = showing.random(self.context.seed, epoch, "caption")
        entry, options = self.entries[showing.entry], self._options
        if entry.own.caption_dropout is not None:
            options = dataclasses.replace(options, caption_dropout=entry.own.caption_dropout)
        return vary_caption(entry.caption, options, random, epoch + part)

    def _view(self, showing: Showing, epoch: int) -> View:
        shown = self.entries[showing.entry].shown
        view = shown[showing.random(self.context.seed, epoch, "crop").randrange(len(shown))]
        random = showing.random(self.context.seed, epoch, "flip")
        return view.mirror() if random.random() < self.entries[showing.entry].flip(self._options.flip) else view

    def _masks_of(self, plan: BatchPlan, views: list[View], epoch: int) -> torch.Tensor:
        """What counts of each picture [n, height, width]; all of it where there is no mask or the mask is ignored."""
        masks = []
        for showing, view in zip(plan, views, strict=True):
            mask = self.entries[showing.entry].mask
            chance = showing.random(self.context.seed, epoch, "mask").random()
            if mask is None or chance < self._options.masks.unmasked_steps:
                width, height = (side // self._model.pixels_per_latent for side in view.size)
                masks.append(torch.ones(height, width))
            else:
                masks.append(self._masks.read(mask, view))
        return torch.stack(masks)

    def _around(self, plan: BatchPlan, views: list[View], epoch: int) -> torch.Tensor:
        """What an inpainting model is told of each picture [n, 5, height, width]."""
        told, options = [], self._options.inpainting
        for showing, view in zip(plan, views, strict=True):
            random = showing.random(self.context.seed, epoch, "hole")
            if random.random() < options.whole:
                width, height = (side // self._model.pixels_per_latent for side in view.size)
                told.append(self._model.all_anew(height, width).cpu())
            else:
                holed = random.choice(with_holes(view, options.holes))
                mean, _ = self._latents(holed)  # the deviation is far below what matters around a hole
                told.append(around_hole(hole_of(holed), mean))
        return torch.stack(told)

    def _latents(self, view: View) -> Latents:
        latents = self._cache.read(view)
        if latents is None:
            unreadable = encode_views([view], self._options.background, self._cache, self._model, self.context)
            latents = self._cache.read(view)
            if latents is None:
                reason = unreadable.get(view.path, "its cache file can't be read back")
                raise DataError(f"The picture {view.path} was there when training began and is not now: {reason}.")
        return latents
