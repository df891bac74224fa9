"""Another VAE in the place of a checkpoint's own: from a file of it, a diffusers folder, or another checkpoint."""

from __future__ import annotations

from pathlib import Path

import torch

from lib_trainer.core.errors import ModelError
from lib_trainer.models.foreign import what_it_looks_like
from lib_trainer.models.model import Shapes
from lib_trainer.models.sd1_folder import today, weights_file
from lib_trainer.models.sd1_keys import original_shape, original_vae_name
from lib_trainer.models.sd1_layout import VAE, VaeSizes, count
from lib_trainer.models.tensor_files import TensorFile, open_tensors

PARTS = ("encoder.", "decoder.", "quant_conv.", "post_quant_conv.")  # other tensors are of its own training
OF_DIFFUSERS = "encoder.down_blocks.0.resnets.0.norm1.weight"
OF_THE_ORIGINAL = "encoder.down.0.block.0.norm1.weight"


class VaeFile:
    """A VAE's tensors under their names and in their shapes in a checkpoint of the original layout."""

    def __init__(self, path: Path) -> None:
        """Read the names.

        Raises:
            ModelError: it can't be read, or is no VAE.
        """
        self.path = path
        self._file = open_tensors(_weights(path) if path.is_dir() else path)
        self._stored = self._original_names()
        self.shapes = {
            original: original_shape(original, self._file.shapes[stored]) for original, stored in self._stored.items()
        }

    def _original_names(self) -> dict[str, str]:
        names = {name.removeprefix(VAE): name for name in self._file.shapes if name.startswith((VAE, *PARTS))}
        if OF_THE_ORIGINAL in names:
            return {VAE + inside: stored for inside, stored in names.items()}
        if OF_DIFFUSERS not in names:
            raise ModelError(
                f"{self.path} is no VAE of Stable Diffusion, it looks like {what_it_looks_like(self._file.shapes)}; "
                "choose another file, or leave 'vae' empty."
            )
        shapes = {name: self._file.shapes[stored] for name, stored in names.items()}
        sizes = VaeSizes((0,) * count(shapes, r"encoder\.down_blocks\.(\d+)\."),
                         count(shapes, r"encoder\.down_blocks\.0\.resnets\.(\d+)\."), 0)  # fmt: skip
        found = {original_vae_name(today("vae", name), sizes): stored for name, stored in names.items()}
        return {original: stored for original, stored in found.items() if original is not None}

    def dtype(self, name: str) -> torch.dtype:
        """The dtype in which a tensor is stored."""
        return self._file.dtype(self._stored[name])

    def read(self, name: str) -> torch.Tensor:
        """One tensor on the CPU as it is stored.

        Raises:
            ModelError: the file was changed since it was opened, or can't be read any more.
        """
        return self._file.read(self._stored[name]).reshape(self.shapes[name])


class WithVae:
    """A checkpoint's file whose VAE is another one."""

    def __init__(self, source: TensorFile, vae: VaeFile) -> None:
        self.path, self.metadata = source.path, source.metadata
        self._source, self._vae = source, vae
        self.shapes = dict(with_shapes_of(source.shapes, vae))

    def dtype(self, name: str) -> torch.dtype:
        """The dtype in which a tensor is stored."""
        return self._of(name).dtype(name)

    def read(self, name: str) -> torch.Tensor:
        """One tensor on the CPU as it is stored.

        Raises:
            ModelError: its file was changed since it was opened, or can't be read any more.
        """
        return self._of(name).read(name)

    def _of(self, name: str) -> TensorFile | VaeFile:
        return self._vae if name in self._vae.shapes else self._source


def with_shapes_of(shapes: Shapes, vae: VaeFile) -> Shapes:
    """The shapes of a checkpoint with those of another VAE in the place of its own."""
    return {**{name: shape for name, shape in shapes.items() if not name.startswith(VAE)}, **vae.shapes}


def _weights(folder: Path) -> Path:
    """The weights of a VAE's own folder, or of that in a whole model's."""
    return weights_file(folder / "vae" if (folder / "vae").is_dir() else folder, "vae")
