"""Latents of pictures, kept as mean and standard deviation under a key of all that they depend on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

import torch

from lib_trainer.dataset.cache_files import DamagedFileError, read_tensors, write_tensors
from lib_trainer.dataset.order import Size

FORMAT = "latents 1"  # a new number when decoding, scaling or the file's layout changes
MEMORY_BYTES = 10**9

Latents = tuple[torch.Tensor, torch.Tensor]  # mean and standard deviation, each [channels, height, width], fp32


@dataclass(frozen=True)
class View:
    """A picture as the VAE sees it: scaled, then cropped to `box` (left, top, right, bottom), all in pixels.

    With a `hole`, the number of one, that part of it is grey.
    """

    path: Path
    digest: str
    scaled: Size
    box: tuple[int, int, int, int]
    mirrored: bool = False
    hole: int = 0

    @property
    def size(self) -> Size:
        """Width and height after the crop."""
        left, top, right, bottom = self.box
        return right - left, bottom - top

    def frame(self, picture: Size) -> list[int]:
        """What SDXL is told of a view of a picture of that size, as `Model.predict` has it; true of mirrored ones."""
        width, height = picture
        left, top, right, bottom = self.box
        start = self.scaled[0] - right if self.mirrored else left
        return [height, width, top, start, bottom - top, right - left]

    def mirror(self) -> View:
        """The same view, left and right exchanged."""
        return replace(self, mirrored=True)


@dataclass
class LatentCache:
    """The latents of views on disk; those read or written are also kept in memory while that holds all of them.

    `recipe` is what all views share: the VAE's digest, the precision it computes in and the background colour.
    """

    folder: Path
    recipe: tuple[str, ...]
    kept_in_memory: bool
    notify: Callable[[str], None]
    _memory: dict[str, Latents] = field(default_factory=dict)

    def key(self, view: View) -> str:
        """The hex digest of all that the latents of this view depend on."""
        parts = [FORMAT, *self.recipe, view.digest, view.scaled, view.box, view.mirrored]
        parts += [("hole 1", view.hole)] if view.hole else []  # a new number when holes are drawn in another way
        return sha256(json.dumps(parts).encode("utf-8")).hexdigest()

    def file(self, view: View) -> Path:
        key = self.key(view)
        return self.folder / "latents" / key[:2] / f"{key}.latent"

    def has(self, view: View) -> bool:
        """Whether the latents are there; checked to the last byte where they are going to stay in memory."""
        return self.read(view) is not None if self.kept_in_memory else self.file(view).exists()

    def read(self, view: View) -> Latents | None:
        """The latents, or None if they are not there; a damaged file is named and counts as not there."""
        key = self.key(view)
        if key in self._memory:
            return self._memory[key]
        try:
            tensors = read_tensors(self.file(view))
        except DamagedFileError as error:
            self.notify(f"The cached latents of {view.path} are damaged ({error}); the picture is encoded again.")
            return None
        if tensors is None:
            return None
        return self._keep(key, (tensors["mean"], tensors["std"]))

    def write(self, view: View, latents: Latents) -> None:
        """Store the latents of a view; each tensor [channels, height, width].

        Raises:
            OutputError: the disk is full or the folder can't be written.
        """
        mean, std = (part.float().cpu().contiguous() for part in latents)
        write_tensors(self.file(view), {"mean": mean, "std": std})
        self._keep(self.key(view), (mean, std))

    def _keep(self, key: str, latents: Latents) -> Latents:
        if self.kept_in_memory:
            self._memory[key] = latents
        return latents
