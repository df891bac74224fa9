"""Which device and which number formats the machine at hand is good at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

PrecisionName = Literal["auto", "fp32", "fp16", "bf16"]
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


def choose_precision(device: torch.device, arithmetic: PrecisionName, frozen: PrecisionName = "auto") -> Precision:
    """`auto` arithmetic is bf16 where the hardware multiplies it, fp16 on CUDA cards without it, else fp32."""
    chosen = _fast_dtype(device) if arithmetic == "auto" else DTYPES[arithmetic]
    return Precision(chosen, chosen if frozen == "auto" else DTYPES[frozen])


def _fast_dtype(device: torch.device) -> torch.dtype:
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    if device.type == "cpu" and torch.cpu._is_avx512_bf16_supported():
        return torch.bfloat16
    return torch.float32
