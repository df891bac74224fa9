"""What a training can't do with its model or on its machine, told before anything is loaded."""

from __future__ import annotations

from lib_trainer.core.errors import ConfigError
from lib_trainer.models.machine import Format
from lib_trainer.training.options import TrainingOptions


def check_formats(options: TrainingOptions, formats: tuple[Format, Format], device: str) -> None:
    """Check the number formats of the arithmetic and of the weights that are not trained.

    Raises:
        ConfigError: the kind of device or the two together make them impossible.
    """
    arithmetic, frozen = formats
    if arithmetic == "fp16" and device == "cpu":
        raise ConfigError("'precision' is 'fp16', which needs a GPU; on this machine choose auto, bf16 or fp32.")
    if frozen not in ("fp32", arithmetic):
        raise ConfigError(
            f"'frozen_precision' is {options.frozen_precision!r} with {arithmetic} arithmetic; "
            "it must be 'fp32' or the same as 'precision'."
        )


def check_previews(options: TrainingOptions, pixels_per_latent: int) -> None:
    """Check that the sides of previews fit the model's latents.

    Raises:
        ConfigError: they don't.
    """
    for name, side in (("width", options.previews.width), ("height", options.previews.height)):
        if side is not None and side % pixels_per_latent:
            raise ConfigError(f"'previews.{name}' is {side}; this model needs a multiple of {pixels_per_latent} px.")
