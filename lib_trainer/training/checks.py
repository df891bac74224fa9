"""What a training can't do with its model or on its machine, told before anything is loaded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from lib_trainer.core.errors import ConfigError
from lib_trainer.models.emphasis import weighted_pieces
from lib_trainer.models.families import FAMILIES
from lib_trainer.models.machine import Format
from lib_trainer.trainables import TRAINABLES
from lib_trainer.trainables.network_family import misfit
from lib_trainer.training.options import TrainingOptions


def check_formats(options: TrainingOptions, formats: tuple[Format, Format], device: str) -> None:
    """Check the number formats of the arithmetic and of the weights that are not trained.

    Raises:
        ConfigError: the kind of device or the two together make them impossible.
    """
    arithmetic, frozen = formats
    if options.trainable.output == "checkpoint" and frozen != "fp32":
        raise ConfigError(
            f"'frozen_precision' is {options.frozen_precision!r}, but a model that is trained itself is kept in fp32; "
            "set it to auto."
        )
    if arithmetic == "fp16" and device == "cpu":
        raise ConfigError("'precision' is 'fp16', which needs a GPU; on this machine choose auto, bf16 or fp32.")
    if frozen not in ("fp32", arithmetic):
        raise ConfigError(
            f"'frozen_precision' is {options.frozen_precision!r} with {arithmetic} arithmetic; "
            "it must be 'fp32' or the same as 'precision'."
        )


class Known(Protocol):
    """What is known of a model before it is loaded and after."""

    @property
    def family(self) -> str: ...

    @property
    def pixels_per_latent(self) -> int: ...


def check_model(options: TrainingOptions, model: Known) -> None:
    """Check all that the options must have in common with the model.

    Raises:
        ConfigError: something of it is impossible.
    """
    check_family(options, model.family)
    check_start(options, model.family)
    check_rates(options, model.family)
    check_clip_skip(options, model.family)
    check_previews(options, model.pixels_per_latent)
    for prompt in (*options.previews.prompts, options.previews.negative_prompt):
        weighted_pieces(prompt)


def check_captions(options: TrainingOptions, captions: Iterable[str]) -> None:
    """Check that captions can be read as they are to be.

    Raises:
        ConfigError: what stands for a number in a caption's brackets is none.
    """
    if options.text.reading == "webui" and options.text.emphasis != "None":
        wording = options.dataset.wording
        classes = [concept.class_prompt for concept in options.dataset.concepts]
        for caption in (options.dataset.trigger, wording.prefix, wording.suffix, *classes, *captions):
            weighted_pieces(caption)


def check_family(options: TrainingOptions, family: str) -> None:
    """Check that what is to be trained can be on the model's family.

    Raises:
        ConfigError: it can't.
    """
    kind = type(options.trainable)
    if family not in kind.families:
        where = " and ".join(FAMILIES[name].labels.webui for name in kind.families)
        others = ", ".join(name for name, entry in TRAINABLES if family in entry.families)
        raise ConfigError(
            f"'trainable' is {TRAINABLES.name_of(kind)}, which works with {where} models, but {options.model.name} is "
            f"{FAMILIES[family].labels.webui}; choose one of {others}, or another model."
        )


def check_start(options: TrainingOptions, family: str) -> None:
    """Check that the network that training goes on from, if there is one, is of the model's family.

    Raises:
        ConfigError: it is of another.
        ModelError: the file can't be read.
    """
    start = getattr(options.trainable, "start_from", None)
    why = None if start is None else misfit(start, family)
    if why:
        raise ConfigError(
            f"'trainable.start_from' is {start}: {why} ({options.model.name}). Choose a model of that family, or a "
            "network made for this one."
        )


def check_rates(options: TrainingOptions, family: str) -> None:
    """Check that a rate for a second text encoder has one.

    Raises:
        ConfigError: it has not.
    """
    second = options.second_text_encoder_learning_rate
    if second is not None and family != "sdxl":
        raise ConfigError(
            f"'second_text_encoder_learning_rate' is {second:g}, but {options.model.name} has only one text encoder; "
            "leave it empty."
        )


def check_clip_skip(options: TrainingOptions, family: str) -> None:
    """Check that the WebUI can skip text layers of the model's family.

    Raises:
        ConfigError: layers are to be skipped, and it can't.
    """
    kind = FAMILIES[family]
    if options.clip_skip > 1 and not kind.can_skip_text_layers:
        raise ConfigError(
            f"'clip_skip' is {options.clip_skip}, but {options.model.name} is a {kind.labels.webui} model: with these "
            "the WebUI always takes the layer before the last, which is 1 here. Set it to 1."
        )


def check_previews(options: TrainingOptions, pixels_per_latent: int) -> None:
    """Check that the sides of previews fit the model's latents.

    Raises:
        ConfigError: they don't.
    """
    for name, side in (("width", options.previews.width), ("height", options.previews.height)):
        if side is not None and side % pixels_per_latent:
            raise ConfigError(f"'previews.{name}' is {side}; this model needs a multiple of {pixels_per_latent} px.")
