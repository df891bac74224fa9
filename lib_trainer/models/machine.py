"""What the choice of the number format depends on: the machine as torch sees it, and the rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Format = Literal["fp32", "fp16", "bf16"]
FormatWish = Literal["auto", "fp32", "fp16", "bf16"]
FORMAT_BYTES: dict[Format, int] = {"fp32": 4, "fp16": 2, "bf16": 2}
# A CPU multiplies large matrices faster in bf16, and does all small operations more slowly. One step against fp32's,
# for U-Nets of 6, 52, 93, 138, 310 and 861 million weights at 64 px: 1.96, 1.58, 1.12, 1.21, 1.08, 0.76; at 256 px:
# 1.19, 0.94, 0.87, 0.89, 0.57, 0.42 (Intel Xeon with AMX, one thread, batch 1).
FEWEST_FOR_BF16 = 150_000_000


@dataclass(frozen=True)
class Machine:
    """The device that computes: torch's name of its kind, its own name, and its memory in bytes (0 if not known)."""

    kind: str
    name: str
    fast_bf16: bool
    memory: int


def fast_format(kind: str, fast_bf16: bool, count_weights: Callable[[], int]) -> Format:
    """The format in which a model trains fastest: bf16 where that is fast, fp16 on CUDA cards without it, else fp32.

    `count_weights` is asked only where it matters.
    """
    if kind == "cuda":
        return "bf16" if fast_bf16 else "fp16"
    return "bf16" if kind == "cpu" and fast_bf16 and count_weights() >= FEWEST_FOR_BF16 else "fp32"


def formats(
    wished: FormatWish, wished_frozen: FormatWish, machine: Machine, count_weights: Callable[[], int]
) -> tuple[Format, Format]:
    """The formats of the arithmetic and of the weights that are not trained."""
    arithmetic = fast_format(machine.kind, machine.fast_bf16, count_weights) if wished == "auto" else wished
    return arithmetic, arithmetic if wished_frozen == "auto" else wished_frozen
