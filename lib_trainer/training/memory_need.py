"""An estimate of the memory that a training needs at its peak.

    the program  +  the model  +  what is trained  +  what the backward pass keeps of the pictures

The model is its weights in the number format that they are kept in. Trained weights are fp32, with a gradient each and
what the optimizer keeps. The last part grows with the pixels of a batch and with the channels of the U-Net's blocks;
its factors are fitted to Stable Diffusion 1 on a CPU (torch 2.13, peak memory of the process, LoRA of rank 8 on both
parts; GB measured and by this formula): 256 px fp32 4.92, 5.00; bf16 2.88, 2.90; the same without the text encoder
2.82, 2.88; a batch of four 3.60, 3.53; 512 px bf16 3.47, 3.53; rank 64 4.00, 4.06; fp32 6.22, 6.26; with gradient
checkpointing bf16 3.08, 3.15; fp32 5.56, 5.51. For graphics cards the factors are counted, not measured: 0.94 GB of
activations in bf16 at 512 px, 0.25 GB with checkpointing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from lib_trainer.core.units import file_size
from lib_trainer.models.machine import FORMAT_BYTES, Format
from lib_trainer.models.outline import Outline
from lib_trainer.trainables.base import NetworkOutline
from lib_trainer.training.options import TrainingOptions

PROGRAM = 650_000_000
WEIGHT = GRADIENT = 4  # bytes
# Numbers kept for one latent pixel and one channel of a block, and what checkpointing leaves of them.
KEPT = {"cpu": 35.4, "cuda": 39.6}
CHECKPOINTED = {"cpu": 0.55, "cuda": 0.27}


@dataclass(frozen=True)
class MemoryNeed:
    """Bytes by what they are for."""

    model: int
    trained: int
    pictures: int

    @property
    def whole(self) -> int:
        return PROGRAM + self.model + self.trained + self.pictures

    def said(self, kind: str) -> str:
        """The sum and its parts in a sentence; `kind` is torch's name of the device's type."""
        where = "memory on the graphics card" if kind == "cuda" else "memory"
        return (
            f"About {file_size(self.whole)} of {where}: {file_size(self.model)} for the model, "
            f"{file_size(self.trained)} for what is trained, {file_size(self.pictures)} for the pictures of a batch, "
            f"the rest for the program itself. An estimate, measured for Stable Diffusion 1."
        )


def memory_need(
    options: TrainingOptions, model: Outline, network: NetworkOutline, formats: tuple[Format, Format], kind: str
) -> MemoryNeed:
    """The estimate for one training; `formats` are those of the arithmetic and of the weights that are not trained."""
    arithmetic, frozen = (FORMAT_BYTES[name] for name in formats)
    # Of a model that is trained itself the weights are there already.
    is_whole = options.trainable.output == "checkpoint"
    each = GRADIENT if is_whole else WEIGHT + GRADIENT
    if is_whole and options.keeps_classes and options.prior.kind == "prediction":
        each += WEIGHT  # the untouched model's, which answers beside it
    trained = sum(each * math.prod(shape) + sum(options.optimizer.state_bytes(shape)) for shape in network.trained)
    device = "cuda" if kind == "cuda" else "cpu"
    pictures = options.batch_size * (2 if options.keeps_classes else 1)
    latent_pixels = pictures * (max(options.dataset.resolutions) / model.pixels_per_latent) ** 2
    kept = KEPT[device] * (CHECKPOINTED[device] if options.gradient_checkpointing else 1)
    return MemoryNeed(
        model=(model.values - model.looked_up) * frozen + model.looked_up * min(frozen, model.stored_bytes),
        trained=trained,
        pictures=round(latent_pixels * model.width * kept * arithmetic),
    )
