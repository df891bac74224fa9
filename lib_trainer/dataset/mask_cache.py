"""Masks as the loss wants them: scaled and cropped as their pictures, in the size of the latents, kept on disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from lib_trainer.dataset.cache import View
from lib_trainer.dataset.cache_files import DamagedFileError, read_tensors, write_tensors
from lib_trainer.images.buckets import part_of
from lib_trainer.images.pixels import PictureError, open_picture, open_with_mask
from lib_trainer.images.threads import in_threads

if TYPE_CHECKING:
    from PIL.Image import Image

FORMAT = "masks 1"  # a new number when scaling or the file's layout changes


@dataclass(frozen=True)
class Mask:
    """Where a picture's mask comes from: the file and its digest; `opacity` tells that it is the picture's own."""

    path: Path
    digest: str
    opacity: bool


@dataclass
class MaskCache:
    """Masks in bytes [height, width] of the latents; in memory once read, for they are small."""

    folder: Path
    pixels_per_latent: int
    notify: Callable[[str], None]
    _memory: dict[str, torch.Tensor] = field(default_factory=dict)

    def prepare(
        self, wanted: Sequence[tuple[Mask, View]], on_progress: Callable[[int, int], None]
    ) -> dict[Path, str]:
        """Make the masks that are not there; returns those that can't be read, each with the reason.

        `on_progress(done, total)` counts those that are made; what it raises ends it, and what was made is kept.

        Raises:
            OutputError: the cache can't be written.
        """
        missing = {self._key(mask, view): (mask, view) for mask, view in wanted if self._known(mask, view) is None}
        unreadable = {}
        with closing(in_threads(self._make, list(missing.values()))) as results:
            for done, ((mask, view), made) in enumerate(zip(missing.values(), results, strict=True), start=1):
                on_progress(done, len(missing))
                if isinstance(made, str):
                    unreadable[mask.path] = made
                else:
                    write_tensors(self._file(mask, view), {"mask": made})
                    self._memory[self._key(mask, view)] = made
        return unreadable

    def read(self, mask: Mask, view: View) -> torch.Tensor:
        """The mask [height, width] in fp32, 1 where the picture counts; mirrored as the view is.

        Raises:
            PictureError: it is not in the cache any more, and its file can't be read.
        """
        known = self._known(mask, view)
        if known is None:
            made = self._make((mask, view))
            if isinstance(made, str):
                raise PictureError(mask.path, made)
            known = self._memory[self._key(mask, view)] = made
        upright = known.float() / 255
        return upright.flip(1) if view.mirrored else upright

    def _known(self, mask: Mask, view: View) -> torch.Tensor | None:
        key = self._key(mask, view)
        if key not in self._memory:
            try:
                tensors = read_tensors(self._file(mask, view))
            except DamagedFileError as error:
                self.notify(f"The cached mask {mask.path} is damaged ({error}); it is made again.")
                return None
            if tensors is None:
                return None
            self._memory[key] = tensors["mask"]
        return self._memory[key]

    def _key(self, mask: Mask, view: View) -> str:
        parts = [FORMAT, mask.digest, mask.opacity, view.scaled, view.box, self.pixels_per_latent]
        return sha256(json.dumps(parts).encode("utf-8")).hexdigest()

    def _file(self, mask: Mask, view: View) -> Path:
        key = self._key(mask, view)
        return self.folder / "masks" / key[:2] / f"{key}.mask"

    def _make(self, pair: tuple[Mask, View]) -> torch.Tensor | str:
        """The mask, each byte the average of the pixels under one latent, or why it can't be had."""
        from numpy import asarray
        from PIL.Image import Resampling

        mask, view = pair
        width, height = (side // self.pixels_per_latent for side in view.size)
        try:
            image = _grey(mask)
        except PictureError as error:
            return error.reason
        if image is None:
            return torch.full((height, width), 255, dtype=torch.uint8)
        part = part_of(image.size, view.scaled, view.box)
        return torch.from_numpy(asarray(image.resize((width, height), Resampling.BOX, box=part)).copy())


def _grey(mask: Mask) -> Image | None:
    """White where the picture counts; None if that is everywhere."""
    if mask.opacity:
        return open_with_mask(mask.path, "white")[1]
    return open_picture(mask.path, "black").convert("L")
