"""What a user should know about a planned training before it starts: sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from lib_trainer.core.units import file_size
from lib_trainer.dataset.class_sets import ClassSet
from lib_trainer.dataset.prospects import Survey
from lib_trainer.models.machine import Machine
from lib_trainer.models.model import Prediction
from lib_trainer.models.outline import Outline
from lib_trainer.trainables import TRAINABLES
from lib_trainer.trainables.loha import Loha
from lib_trainer.trainables.lokr import Lokr
from lib_trainer.training.length import Length
from lib_trainer.training.options import TrainingOptions

SIDES = re.compile(r"\b(left|right)\b", re.IGNORECASE)
FEWEST_PICTURES = 5
HIGH_FOR_A_MODEL = 2e-5
FEWEST_STEPS, MOST_STEPS = 100, 20_000
NAMES_UNKNOWN = (
    "This model is built unlike Stable Diffusion 1; for AUTOMATIC1111 set 'saving.layer_names' to 'original'."
)
PREDICTED: dict[Prediction, str] = {"epsilon": "the noise", "v": "the velocity"}


def prediction_untold(model: Path) -> str:
    """That nothing says what a model predicts."""
    return (
        f"Nothing in or beside {model.name} says whether it predicts the noise, as Stable Diffusion 2 base does, or "
        "the velocity, as 768-v does; 'diffusion.prediction' says it for certain."
    )


def picture_remarks(options: TrainingOptions, found: Survey) -> Iterator[str]:
    """About the pictures and their captions."""
    pictures, skipped = len(found.files), found.skipped
    if pictures < FEWEST_PICTURES:
        many = "is only 1 picture" if pictures == 1 else f"are only {pictures} pictures"
        yield f"There {many}; a subject needs about 5 to 20, a style 50 to 200."
    if skipped:
        yield f"{'1 file is' if skipped == 1 else f'{skipped} files are'} left out; the table of the pictures says why."
    without = sum(not picture.captioned for picture in found.files)
    if without == pictures and not options.dataset.trigger:
        yield (
            "No picture has a caption, and there is neither a prompt for all nor a trigger word: nothing in a prompt "
            "will call what is learned. Write captions, or set 'dataset.captions.prompt'."
        )
    elif without:
        yield f"{without} of {pictures} pictures have no caption."
    sides = sum(SIDES.search(picture.caption) is not None for picture in found.files)
    if sides and options.dataset.flip:
        many = "1 caption speaks" if sides == 1 else f"{sides} captions speak"
        yield f"{many} of left or right, which is wrong when 'dataset.flip' mirrors the picture; set it to 0."


def length_remarks(length: Length) -> Iterator[str]:
    """About the number of steps."""
    if length.ends:
        first, last = length.ends[0], length.ends[-1] - length.ends[-2]
        yield f"Epochs get shorter, as lower rated pictures are left out: from {first} steps in the first to {last}."
    if length.steps > MOST_STEPS:
        yield f"{length.steps} steps are very many; most LoRAs are done after 500 to 5000."
    if length.steps < FEWEST_STEPS:
        yield f"{length.steps} steps are few; the result may hardly differ from the model. Raise 'epochs' or repeats."


def file_remarks(options: TrainingOptions, name: str, model: Outline) -> Iterator[str]:
    """About the files that are going to be written."""
    if name != options.name:
        yield f"There are files of another run called '{options.name}' already; this run's will be called '{name}'."
    if options.saving.every.unit == "minute" and options.saving.every.amount:
        yield f"Networks are saved every {options.saving.every} as well; how many that makes depends on the speed."
    if options.diffusion.prediction == "auto" and not model.prediction_told:
        yield f"{prediction_untold(options.model)} The training tries it out at its start."
    if are_names_unknown(options, model.names.webui_knows_network_names):
        yield NAMES_UNKNOWN


def rate_remarks(options: TrainingOptions) -> Iterator[str]:
    """About learning rates: those for a LoRA are many times those that a model's own weights bear."""
    fastest = max(options.learning_rates.values())
    if options.trainable.output == "checkpoint" and fastest > HIGH_FOR_A_MODEL:
        yield (
            f"A learning rate of {fastest:g} is high for training the model itself, which soon forgets what it could "
            "draw; 1e-6 to 1e-5 is usual."
        )


def class_remarks(options: TrainingOptions, sets: Sequence[ClassSet]) -> Iterator[str]:
    """About the classes of concepts."""
    for needed in sets:
        count = sum(needed.to_draw.values())
        if count:
            yield (
                f"Before the training {count} class pictures of '{needed.prompt}' are drawn, but for those that are "
                "there already from the same model, prompt and settings."
            )
    if not options.keeps_classes and any(concept.keeps_class for concept in options.dataset.concepts):
        yield "Classes are named, but 'prior.weight' is 0: nothing keeps them as they are."


def are_names_unknown(options: TrainingOptions, webui_knows_network_names: bool) -> bool:
    """Whether A1111 would not find a LoRA's layers by the names that they are going to have; other files have none."""
    of_kohya = options.trainable.output == "lora" and options.saving.layer_names == "kohya"
    return of_kohya and not webui_knows_network_names


def reading_remarks(options: TrainingOptions, machine: Machine) -> Iterator[str]:
    """About a WebUI on a machine like this one that could not use the files."""
    kind = options.trainable
    multiplies = isinstance(kind, Loha) or (isinstance(kind, Lokr) and not kind.full)
    if multiplies and machine.kind == "cpu" and options.saving.precision == "fp16":
        yield (
            f"AUTOMATIC1111 can't use a {TRAINABLES.name_of(type(kind))} in fp16 without a graphics card; to draw "
            "with it on this machine set 'saving.precision' to fp32."
        )


def room_remarks(needed: int, free: int, memory: int, machine: Machine) -> Iterator[str]:
    """About disk and memory; all in bytes."""
    if needed > free:
        yield (
            f"The files need {file_size(needed)}, and only {file_size(free)} are free on that disk; make room, save "
            "less often, or choose another 'saving.folder'."
        )
    if machine.memory and memory > machine.memory:
        yield (
            f"The training needs about {file_size(memory)} of memory and there are {file_size(machine.memory)}; lower "
            "'batch_size' or the resolution, or turn on 'gradient_checkpointing'."
        )
