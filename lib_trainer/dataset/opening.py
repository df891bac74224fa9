"""Opens a dataset: the pictures of a folder are found, and those that no cache holds are encoded."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from lib_trainer.core.errors import DataError
from lib_trainer.core.events import Notice
from lib_trainer.dataset.cache import MEMORY_BYTES, LatentCache, View
from lib_trainer.dataset.context import DatasetContext
from lib_trainer.dataset.dataset import Dataset
from lib_trainer.dataset.encoding import encode_views
from lib_trainer.dataset.entries import Entry, find_entries
from lib_trainer.dataset.held_out import divided
from lib_trainer.dataset.holes import with_holes
from lib_trainer.dataset.options import DatasetOptions, held_out_options
from lib_trainer.dataset.overrides import times
from lib_trainer.dataset.prospects import check_step
from lib_trainer.images.pixels import colour

if TYPE_CHECKING:
    from lib_trainer.models.model import Model

SHORT_BATCHES = 0.75


def open_dataset(options: DatasetOptions, model: Model, context: DatasetContext) -> Dataset:
    """Find the pictures, report on them, and encode those that no cache holds.

    Raises:
        DataError: no picture of the folder can be used.
        ConfigError: the sizes do not fit the model, or an option of the pictures can't be used.
        StopRequested, ModelError, OutputError: as `encode_views`.
    """
    context, entries = _found(options, model, context)
    return _opened(entries, options, model, context)


def open_divided(
    options: DatasetOptions, model: Model, context: DatasetContext, share: float, seed: int
) -> tuple[Dataset, Dataset]:
    """As `open_dataset`, without a share of the pictures; and those, with nothing varied.

    Raises:
        DataError: no picture would be left to train on, or as `open_dataset`.
        ConfigError, StopRequested, ModelError, OutputError: as `open_dataset`.
    """
    context, entries = _found(options, model, context)
    learnt, aside = divided(entries, share, seed)
    count = len({entry.path for entry in entries})
    context.emit(Notice(f"{len(aside)} of {count} pictures are kept aside to measure."))
    kept = open_entries(aside, held_out_options(options, options.folder), model, context)
    return _opened(learnt, options, model, context), kept


def _found(
    options: DatasetOptions, model: Model, context: DatasetContext
) -> tuple[DatasetContext, list[Entry]]:
    """The context with the cache that was wished, and the entries."""
    context = dataclasses.replace(context, cache=options.cache or context.cache)
    check_step(options, model.pixels_per_latent)
    colour(options.background)  # whether it is one, before a long scan
    return context, find_entries(options, context)


def _opened(entries: Sequence[Entry], options: DatasetOptions, model: Model, context: DatasetContext) -> Dataset:
    dataset = open_entries(entries, options, model, context)
    _notice_short_batches(dataset)
    return dataset


def open_entries(
    entries: Sequence[Entry], options: DatasetOptions, model: Model, context: DatasetContext
) -> Dataset:
    """Encode those pictures that no cache holds.

    Raises:
        DataError: none of them can be used.
        StopRequested, ModelError, OutputError: as `encode_views`.
    """
    background = colour(options.background)
    cache = LatentCache(
        folder=context.cache,
        recipe=(model.vae_digest, str(model.vae_dtype), repr(background)),
        kept_in_memory=_latent_bytes(_wanted(entries, options, model), model) <= MEMORY_BYTES,
        notify=context.warn,
    )
    missing = _missing(_wanted(entries, options, model), cache)
    unreadable = encode_views(missing, options.background, cache, model, context)
    for path, reason in unreadable.items():
        context.warn(f"{path} is left out: {reason}.")
    usable = [entry for entry in entries if entry.path not in unreadable]
    if not usable:
        raise DataError(f"None of the {len(entries)} pictures in {options.folder} can be read; see the notices above.")
    if model.is_inpainting:
        for width, height in {entry.bucket for entry in usable}:  # now, while the VAE is at hand
            model.all_anew(height // model.pixels_per_latent, width // model.pixels_per_latent)
    dataset = Dataset(usable, options, model, cache, context)
    dataset.prepare_masks()
    return dataset


def shared_pictures(one: Dataset, other: Dataset) -> list[tuple[Path, Path]]:
    """The pictures that both datasets hold, byte for byte; learnt by heart they make a held-out loss worthless."""
    known = {entry.view.digest: entry.path for entry in one.entries}
    return [(known[entry.view.digest], entry.path) for entry in other.entries if entry.view.digest in known]


def _notice_short_batches(dataset: Dataset) -> None:
    """Say it if the batches hold on average less than three quarters of what was asked for."""
    wanted, steps = dataset.context.batch_size, dataset.batches_in(0)
    showings = sum(times(entry, 0, dataset.context.seed) for entry in dataset.entries)
    buckets = len({entry.bucket for entry in dataset.entries})
    if buckets > 1 and showings < SHORT_BATCHES * steps * wanted:
        dataset.context.emit(
            Notice(
                f"Batches hold {showings / steps:.1f} pictures on average instead of {wanted}, because the {showings} "
                f"pictures of an epoch have {buckets} sizes; 'buckets.square' or a larger 'buckets.step' make fewer."
            )
        )


def _wanted(entries: Sequence[Entry], options: DatasetOptions, model: Model) -> list[View]:
    """The views that can be shown, and those with holes that an inpainting model is told of."""
    wanted = [view for entry in entries for view in entry.views(options.flip)]
    if not model.is_inpainting or options.inpainting.whole == 1:
        return wanted
    return [*wanted, *(holed for view in wanted for holed in with_holes(view, options.inpainting.holes))]


def _missing(wanted: Sequence[View], cache: LatentCache) -> list[View]:
    """The views without latents, each content once."""
    return [view for view in {cache.key(view): view for view in wanted}.values() if not cache.has(view)]


def _latent_bytes(views: Sequence[View], model: Model) -> int:
    pixels = sum(width * height for width, height in (view.size for view in views))
    return pixels // model.pixels_per_latent**2 * model.latent_channels * torch.float32.itemsize * 2
