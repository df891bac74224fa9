"""How a family's checkpoints are read: seen in CLIP's names, their sizes taken from shapes, the rest by a rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from lib_trainer.core.errors import ModelError
from lib_trainer.models.model import Place, Shapes
from lib_trainer.models.sd1_layout import Layout, read_layout
from lib_trainer.models.sd1_settings import SD1_RULE, Rule, Settings, settings_of

if TYPE_CHECKING:
    import torch

    from lib_trainer.models.open_clip import Prefixes
    from lib_trainer.models.sd1_model import Sd1Model

M = TypeVar("M", bound="Sd1Model")


@dataclass(frozen=True)
class Reading:
    """What a family has of its own: the names of its OpenCLIP text encoder, its rule, and where its sizes stand."""

    prefixes: Prefixes | None
    rule: Rule
    layout: Callable[[Path, Shapes], Layout]

    def seen(self, shapes: Shapes) -> Shapes:
        """The shapes under CLIP's names."""
        if self.prefixes is None:
            return shapes
        from lib_trainer.models.open_clip import as_clip

        return as_clip(shapes, self.prefixes)

    def sizes(self, path: Path, shapes: Shapes) -> tuple[Layout, Settings]:
        """The sizes of a checkpoint with these shapes, seen under CLIP's names, and what shapes don't tell.

        Raises:
            ModelError: a tensor that gives a size is missing, the configuration beside the model can't be used, or the
                VAE does not fit the U-Net.
        """
        layout = self.layout(path, shapes)
        if layout.vae.latent_channels != layout.unet.latent_channels:
            raise ModelError(
                f"{path}: the VAE makes latents of {layout.vae.latent_channels} channels, the U-Net takes "
                f"{layout.unet.latent_channels}; choose a VAE of the model's own family."
            )
        return layout, settings_of(path, layout, shapes, self.rule)

    def load(self, place: Place, model: type[M], dtype: torch.dtype, device: torch.device) -> M:
        """Read a single file or a diffusers folder, and the VAE that is to take the place of its own.

        Raises:
            ModelError: the file can't be read, or tensors are missing in it or of the wrong shapes.
        """
        from lib_trainer.models.open_clip import SeenAsClip
        from lib_trainer.models.sd1_model import open_source
        from lib_trainer.models.vae_files import VaeFile, WithVae

        stored = open_source(place.model)
        if place.vae is not None:
            stored = WithVae(stored, VaeFile(place.vae))
        source = stored if self.prefixes is None else SeenAsClip(stored, self.prefixes)
        return model(source, *self.sizes(place.model, source.shapes), dtype, device)


SD1_READING = Reading(None, SD1_RULE, read_layout)
