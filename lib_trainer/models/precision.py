"""Which device and which number formats the machine at hand is good at."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

import torch

from lib_trainer.models.checkpoints import count_weights
from lib_trainer.models.machine import FormatWish, Machine, formats

DTYPES: dict[str, torch.dtype] = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


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
    device: torch.device, model: Path, arithmetic: FormatWish, frozen: FormatWish = "auto"
) -> Precision:
    """`auto` arithmetic is bf16 where it is faster for this model, fp16 on CUDA cards without it, else fp32.

    The choice depends on the machine and the model's sizes alone: a resumed run makes the same one.

    Raises:
        ModelError: the model's sizes are needed and can't be read.
    """
    chosen, kept = formats(arithmetic, frozen, machine_with(device), lambda: count_weights(model))
    return Precision(DTYPES[chosen], DTYPES[kept])


def machine_with(device: torch.device) -> Machine:
    """The machine, computing on this device."""
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
        return Machine("cuda", properties.name, fast, properties.total_memory)
    fast = device.type == "cpu" and bool(torch.cpu._is_avx512_bf16_supported())
    return Machine(device.type, f"{platform.machine()}, {os.cpu_count()} cores", fast, _main_memory())


def _main_memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0  # Windows does not tell it in this way
