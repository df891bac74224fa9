"""The options of prior preservation: how a model keeps what it knows of a concept's class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lib_trainer.core.errors import ConfigError
from lib_trainer.core.options import labelled, option
from lib_trainer.models.sampler_names import SamplerName


@dataclass(frozen=True)
class PriorOptions:
    """DreamBooth: how the class of each concept stays as it is while the concept is learned."""

    kind: Literal["pictures", "prediction"] = labelled(
        "Keep the class by",
        option(
            "pictures",
            "'pictures' learns pictures of the class beside yours; the model draws them before it changes. "
            "'prediction' needs none: to your pictures with the class prompt the model has to answer as it did "
            "untouched.",
        ),
    )
    weight: float = option(1.0, "How much the class counts beside the concept; 0 turns all of it off.", ge=0, le=100)
    final_weight: float | None = option(
        None, "The weight falls evenly to this; empty leaves it as it is.", ge=0, le=100
    )
    falling_epochs: int | None = option(
        None, "Epochs in which the weight falls; empty means the whole training.", ge=1, unit="epochs"
    )
    pictures: int = labelled(
        "Class pictures",
        option(100, "So many for each concept; missing ones are drawn. 0 takes your own only.", ge=0, le=100_000),
    )
    negative_prompt: str = option("", "What the class pictures should not show.")
    sampler: SamplerName = option("DPM++ 2M", "Sampler of the class pictures, by the WebUI's name.")
    steps: int = option(25, "Sampling steps of a class picture.", ge=1, le=150, unit="steps")
    cfg_scale: float = option(7.0, "How strictly the class prompt is followed.", ge=1, le=30)
    at_once: int = option(4, "Class pictures drawn at once; more is faster and needs more memory.", ge=1, le=64)

    def __post_init__(self) -> None:
        if self.final_weight is not None and self.final_weight > self.weight:
            raise ConfigError(
                f"'final_weight' is {self.final_weight:g}, more than the weight, {self.weight:g}; it can only fall."
            )
