"""Which device and which number formats the machine at hand is good at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from lib_trainer.models.loading import count_weights

PrecisionName = Literal["auto", "fp32", "fp16", "bf16"]
# A CPU multiplies large matrices faster in bf16, and does all small operations more slowly. One step against fp32's,
# for U-Nets of 6, 52, 93, 138, 310 and 861 million weights at 64 px: 1.96, 1.58, 1.12, 1.21, 1.08, 0.76; at 256 px:
# 1.19, 0.94, 0.87, 0.89, 0.57, 0.42 (Intel Xeon with AMX, one thread, batch 1).
FEWEST_FOR_BF16 = 150_000_000
DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


@dataclass(frozen=True)
class Precision:
    """The number format of the arithmetic and that of the weights which are not trained."""

    arithmetic: torch.dtype
    frozen: torch.dtype


def best_device() -> torch.device:
    """The GPU if there is one that torch can use, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def choose_precision(
    device: torch.device, model: Path, arithmetic: PrecisionName, frozen: PrecisionName = "auto"
) -> Precision:
    """`auto` arithmetic is bf16 where it is faster for this model, fp16 on CUDA cards without it, else fp32.

    The choice depends on the machine and the model's sizes alone: a resumed run makes the same one.

    Raises:
        ModelError: the model's sizes are needed and can't be read.
    """
    chosen = _fast_dtype(device, model) if arithmetic == "auto" else DTYPES[arithmetic]
    return Precision(chosen, chosen if frozen == "auto" else DTYPES[frozen])


def _fast_dtype(device: torch.device, model: Path) -> torch.dtype:
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    if device.type == "cpu" and torch.cpu._is_avx512_bf16_supported() and count_weights(model) >= FEWEST_FOR_BF16:
        return torch.bfloat16
    return torch.float32
