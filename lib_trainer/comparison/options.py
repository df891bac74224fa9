"""The options of a comparison: what is drawn, and along which axes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lib_trainer.core.errors import ConfigError
from lib_trainer.core.options import existing, labelled, option
from lib_trainer.core.units import LONGEST_SIDE, SHORTEST_SIDE, Size

MANY = ("networks", "prompts", "strengths", "seeds", "cfg_scales", "steps", "samplers")  # each needs a value
NO_TWICE = (*MANY, "sizes", "replacements")


@dataclass(frozen=True, kw_only=True)
class CompareOptions:
    """Draw the same pictures with each epoch of a network, and with none, as one labelled grid."""

    model: Path = existing(
        ..., "The checkpoint to draw with: a .safetensors or .ckpt file, or a diffusers folder.",
        group="first",
    )  # fmt: skip
    models: tuple[Path, ...] = existing((), "Further checkpoints to compare; each draws all rows.")
    networks: tuple[Path, ...] = labelled(
        "LoRAs",
        existing(
            ..., "Network files or trained checkpoints, or folders of them (all epochs of a run); each is a row "
            "beneath the model alone.",
            group="first",
        ),
    )  # fmt: skip
    output: Path = option(..., "Folder for the grid and its cells; cells that are there already are not drawn again.")
    prompts: tuple[str, ...] = option(..., "Prompts, one column each.", group="first")
    search: str = option("", "Words in the prompts that are replaced by each of the replacements, a column each.")
    replacements: tuple[str, ...] = option((), "What to put in the place of the searched words.")
    strengths: tuple[float, ...] = option((1.0,), "Strengths of the network, a row each.", ge=-4, le=4)
    seeds: tuple[int, ...] = option((1,), "Seeds, a column each.", ge=0)
    cfg_scales: tuple[float, ...] = option((7.0,), "How strictly the prompt is followed, a column each.", ge=1, le=30)
    steps: tuple[int, ...] = option((20,), "Sampling steps, a column each.", ge=1, le=150)
    samplers: tuple[str, ...] = option(("DPM++ 2M",), "Samplers by the WebUI's names, a column each.")
    sizes: tuple[Size, ...] = option((), "Sizes such as 512x768, a column each; empty means width x height.")
    negative_prompt: str = option("", "What the pictures should not show.")
    width: int = option(512, "Width of a picture.", ge=SHORTEST_SIDE, le=LONGEST_SIDE, unit="px")
    height: int = option(512, "Height of a picture.", ge=SHORTEST_SIDE, le=LONGEST_SIDE, unit="px")
    batch_size: int = option(4, "Pictures drawn at once.", ge=1, le=64)
    clip_skip: int = option(1, "Which text layer is used, counted from the last as the WebUI does.", ge=1, le=12)
    precision: Literal["auto", "fp32", "fp16", "bf16"] = option(
        "auto", "Arithmetic: 'auto' takes bf16 where the machine is fast at it, fp16 on older GPUs, else fp32."
    )

    @property
    def all_models(self) -> tuple[Path, ...]:
        """The checkpoints in the order of their rows."""
        return (self.model, *self.models)

    @property
    def all_prompts(self) -> tuple[str, ...]:
        """Each prompt as it is, followed by itself with each replacement."""
        if not self.replacements:
            return self.prompts
        return tuple(
            drawn
            for prompt in self.prompts
            for drawn in (prompt, *(prompt.replace(self.search, words) for words in self.replacements))
        )

    @property
    def all_sizes(self) -> tuple[Size, ...]:
        """The sizes of the pictures."""
        return self.sizes or (Size(self.width, self.height),)

    def __post_init__(self) -> None:
        for name in MANY:
            if not getattr(self, name):
                raise ConfigError(f"'{name}' is empty; give at least one.")
        self._check_search()
        for name in NO_TWICE:
            _check_no_repeats(f"'{name}' has", getattr(self, name))
        _check_no_repeats("'models', with 'model', has", self.all_models)
        _check_no_repeats("'replacements' make the prompt", self.all_prompts)
        for prompt in self.all_prompts:
            if "<lora:" in prompt or "<hypernet:" in prompt:
                raise ConfigError(f"'prompts': {prompt!r} names a network; give that by its file in 'networks'.")

    def _check_search(self) -> None:
        if bool(self.search) != bool(self.replacements):
            there, missing = ("search", "replacements") if self.search else ("replacements", "search")
            raise ConfigError(f"'{missing}' is empty, but '{there}' is given; give both or neither.")
        for prompt in self.prompts:
            if self.search not in prompt:
                raise ConfigError(f"'search' is {self.search!r}, which is not in the prompt {prompt!r}; change one.")


def _check_no_repeats(said: str, values: tuple[object, ...]) -> None:
    for value in values:
        if values.count(value) > 1:
            raise ConfigError(f"{said} {value!s} twice; give it once.")
