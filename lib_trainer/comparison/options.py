"""The options of a comparison: what is drawn, and along which axes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lib_trainer.core.errors import ConfigError
from lib_trainer.core.options import option
from lib_trainer.models.sampler_names import SamplerName


@dataclass(frozen=True, kw_only=True)
class CompareOptions:
    """Draw the same pictures with each epoch of a network, and with none, as one labelled grid."""

    model: Path = option(..., "The checkpoint to draw with: a .safetensors or .ckpt file, or a diffusers folder.")
    networks: tuple[Path, ...] = option(
        ..., "Network files, or folders of them (all epochs of a run); each is a row beneath the model alone."
    )
    output: Path = option(..., "Folder for the grid and its cells; cells that are there already are not drawn again.")
    prompts: tuple[str, ...] = option(..., "Prompts, one column each.")
    strengths: tuple[float, ...] = option((1.0,), "Strengths of the network, a row each.", ge=-4, le=4)
    seeds: tuple[int, ...] = option((1,), "Seeds, a column each.", ge=0)
    cfg_scales: tuple[float, ...] = option((7.0,), "How strictly the prompt is followed, a column each.", ge=1, le=30)
    steps: tuple[int, ...] = option((20,), "Sampling steps, a column each.", ge=1, le=150)
    samplers: tuple[SamplerName, ...] = option(("DPM++ 2M",), "Samplers by the WebUI's names, a column each.")
    negative_prompt: str = option("", "What the pictures should not show.")
    width: int = option(512, "Width of a picture.", ge=64, le=2048, unit="px")
    height: int = option(512, "Height of a picture.", ge=64, le=2048, unit="px")
    batch_size: int = option(4, "Pictures drawn at once.", ge=1, le=64)
    clip_skip: int = option(1, "Which text layer is used, counted from the last as the WebUI does.", ge=1, le=12)
    precision: Literal["auto", "fp32", "fp16", "bf16"] = option(
        "auto", "Arithmetic: 'auto' takes bf16 where the machine is fast at it, fp16 on older GPUs, else fp32."
    )

    def __post_init__(self) -> None:
        for name in ("networks", "prompts", "strengths", "seeds", "cfg_scales", "steps", "samplers"):
            if not getattr(self, name):
                raise ConfigError(f"'{name}' is empty; give at least one.")
            _check_no_repeats(name, getattr(self, name))
        for prompt in self.prompts:
            if "<lora:" in prompt:
                raise ConfigError(f"'prompts': {prompt!r} names a network; give that by its file in 'networks'.")


def _check_no_repeats(name: str, values: tuple[object, ...]) -> None:
    for value in values:
        if values.count(value) > 1:
            raise ConfigError(f"'{name}' has {value!s} twice; give it once.")
