"""Pictures through the VAE into the cache: decoded ahead of it, batched by size, fewer at once when memory ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from lib_trainer.core.errors import ModelError
from lib_trainer.dataset.cache import LatentCache, Latents, View
from lib_trainer.dataset.context import DatasetContext
from lib_trainer.dataset.decoding import decode_ahead
from lib_trainer.dataset.holes import hole_of
from lib_trainer.dataset.progress import PictureProgress

if TYPE_CHECKING:
    from lib_trainer.models.model import Model

# A CPU is fastest with one picture of 256 px at a time, which also takes the least memory; a GPU wants to be busy.
CPU_BATCH_PIXELS = 256 * 256
GPU_BATCH_PIXELS = 8 * 512 * 512
DECODED_AHEAD = 8
OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")


def encode_views(
    views: Sequence[View], background: str, cache: LatentCache, model: Model, context: DatasetContext
) -> dict[Path, str]:
    """Fill the cache with these views; returns the pictures that can't be read any more, each with the reason.

    Raises:
        StopRequested: asked for between two batches; what was encoded until then is kept.
        ModelError: the VAE gives values that are not finite.
        OutputError: the cache can't be written.
    """
    unreadable: dict[Path, str] = {}
    encoder = _Encoder(model, context)
    progress = PictureProgress(context.emit, "Encoding pictures")
    done = 0
    batches = list(same_size_batches(views, encoder.batch_pixels))
    ordered = [view for batch in batches for view in batch]
    ahead = DECODED_AHEAD + max(map(len, batches), default=0)
    with closing(decode_ahead(ordered, background, ahead)) as decoded:
        for batch in batches:
            context.check_stop()
            pictures = list(zip(batch, islice(decoded, len(batch)), strict=True))
            unreadable.update({view.path: picture for view, picture in pictures if isinstance(picture, str)})
            readable = {view: picture for view, picture in pictures if isinstance(picture, torch.Tensor)}
            for view, latents in encoder.encode(readable):
                cache.write(view, latents)
            done += len(batch)
            progress.tell(done, len(views))
    return unreadable


def same_size_batches(views: Sequence[View], pixels: int) -> Iterator[list[View]]:
    """Views of one size together, as many as hold about this number of pixels, at least one; both views of a picture
    follow each other.
    """
    ordered = sorted(views, key=lambda view: (view.size, str(view.path), view.mirrored, view.hole))
    for (width, height), group in groupby(ordered, key=lambda view: view.size):
        while batch := list(islice(group, max(1, pixels // (width * height)))):
            yield batch


@dataclass
class _Encoder:
    """The VAE with the number of pictures that it is given at once."""

    model: Model
    context: DatasetContext
    most: int | None = None

    @property
    def device(self) -> torch.device:
        return self.model.device

    @property
    def batch_pixels(self) -> int:
        return CPU_BATCH_PIXELS if self.device.type == "cpu" else GPU_BATCH_PIXELS

    def encode(self, pictures: dict[View, torch.Tensor]) -> Iterator[tuple[View, Latents]]:
        """The latents of pictures of one size, given as bytes [height, width, 3]."""
        remaining = list(pictures)
        while remaining:
            views = remaining[: self.most]
            latents = self._try({view: pictures[view] for view in views})
            if latents is None:
                continue
            mean, std = latents
            if not bool(torch.isfinite(mean).all() and torch.isfinite(std).all()):
                raise ModelError(
                    f"The VAE of {self.model.path} gives values that are not finite for {views[0].path} "
                    f"(computed in {self.model.vae_dtype}); use a checkpoint with another VAE."
                )
            yield from zip(views, zip(mean, std, strict=True), strict=True)
            remaining = remaining[len(views) :]

    def _try(self, pictures: dict[View, torch.Tensor]) -> Latents | None:
        """Mean and std [n, c, h, w] on the CPU, or None if memory ended and fewer must be given at once."""
        stacked = torch.stack(list(pictures.values())).to(self.device).permute(0, 3, 1, 2)
        try:
            with torch.no_grad():
                mean, std = self.model.encode_pictures(_with_grey_holes(stacked.float() / 127.5 - 1, list(pictures)))
            return mean.float().cpu(), std.float().cpu()
        except RuntimeError as error:
            if len(pictures) == 1 or not any(words in str(error).lower() for words in OUT_OF_MEMORY):
                raise
        # Only here, with the exception gone, is the memory of the failed attempt free again.
        if self.device.type != "cpu":
            torch.accelerator.empty_cache()
        self.most = len(pictures) // 2
        self.context.warn(
            f"Memory is too short to encode {len(pictures)} pictures at once; it goes on with {self.most}, more slowly."
        )
        return None


def _with_grey_holes(pixels: torch.Tensor, views: list[View]) -> torch.Tensor:
    """Pixels [n, 3, height, width] in -1..1, zero in the holes of their views."""
    for place, view in enumerate(views):
        if view.hole:
            pixels[place] *= 1 - hole_of(view).to(pixels)
    return pixels
