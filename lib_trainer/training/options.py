"""The options of a training run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lib_trainer.core.errors import ConfigError
from lib_trainer.core.options import choice, existing, labelled, option, section
from lib_trainer.core.outputs import FileFormat, chosen_format
from lib_trainer.core.places import output_folder
from lib_trainer.core.units import Every
from lib_trainer.dataset.options import DatasetOptions
from lib_trainer.models.machine import FormatWish
from lib_trainer.models.sampler_names import SamplerName
from lib_trainer.models.text_options import TextOptions
from lib_trainer.trainables import TRAINABLES
from lib_trainer.trainables.base import TrainableOptions
from lib_trainer.trainables.new_word import NewWord
from lib_trainer.training.losses import LOSSES
from lib_trainer.training.losses.base import LossOptions
from lib_trainer.training.optimizers import OPTIMIZERS
from lib_trainer.training.optimizers.base import OptimizerOptions
from lib_trainer.training.prior_options import PriorOptions
from lib_trainer.training.schedules import SCHEDULES
from lib_trainer.training.schedules.base import ScheduleOptions
from lib_trainer.training.word_options import WORD_PART, WordOptions

NOT_IN_NAMES = '/\\:*?"<>|'  # what Windows refuses; the WebUI's <lora:NAME:1> can't have some of them either


@dataclass(frozen=True)
class DiffusionOptions:
    """How noise is added and what the model is asked for."""

    prediction: Literal["auto", "epsilon", "v"] = option(
        "auto", "What the model predicts: the noise (epsilon) or the velocity (v); 'auto' asks the checkpoint."
    )
    noise_offset: float = option(0.0, "Adds this much of one even tone to the noise, for deeper darks.", ge=0, le=1)
    min_snr_gamma: float | None = option(
        None, "Caps the weight of nearly clean timesteps (min-SNR, usually 5); empty weighs all alike.", ge=0.01, le=100
    )


@dataclass(frozen=True)
class PreviewOptions:
    """Pictures drawn while training, always from the same prompts and seed."""

    prompts: tuple[str, ...] = option((), "Prompts to draw; none means no previews.")
    negative_prompt: str = option("", "What the previews should not show.")
    every: Every = option(Every(1, "epoch"), "How often: '1 epoch', '200 steps' or 'never'.")
    sampler: SamplerName = option("DPM++ 2M", "Sampler, by the WebUI's name.")
    steps: int = option(20, "Sampling steps of a preview.", ge=1, le=150, unit="steps")
    cfg_scale: float = option(7.0, "How strictly the prompt is followed.", ge=1, le=30)
    width: int | None = option(None, "Width; empty means the training resolution.", ge=64, le=2048, unit="px")
    height: int | None = option(None, "Height; empty means the training resolution.", ge=64, le=2048, unit="px")
    seed: int = option(1, "Seed of the first prompt; each further prompt has the next one.", ge=0)


@dataclass(frozen=True)
class SavingOptions:
    """Which files are written, where, and how often."""

    folder: Path | None = option(
        None, "Folder for the finished files; empty means where the WebUI reads such files, as models/Lora."
    )
    name: str = labelled(
        "Name of the files",
        option(
            "", "What all files begin with; empty takes the word that is learned, or the picture folder's name.",
            group="first",
        ),
    )
    every: Every = option(
        Every(1, "epoch"), "How often: '2 epochs', '500 steps', '15 minutes' or 'never'; the last is always saved."
    )
    precision: Literal["fp16", "bf16", "fp32"] = option("fp16", "Number format in the files.")
    format: Literal["auto", "safetensors", "ckpt", "pt", "diffusers"] = option(
        "auto", "Kind of file: 'auto' is safetensors where the WebUI reads that, else pt."
    )
    layer_names: Literal["kohya", "original"] = option(
        "kohya",
        "Names of the layers in the files: 'kohya' is what all programs read; 'original' is needed in the WebUI for "
        "models that are built unlike Stable Diffusion 1, such as the demo's.",
    )
    state_every: Every = option(Every(1, "epoch"), "How often a state to resume from is saved; one is kept.")

    def __post_init__(self) -> None:
        odd = [sign for sign in self.name if sign in NOT_IN_NAMES]
        if odd:
            raise ConfigError(f"'saving.name' is {self.name!r}; {odd[0]!r} can't be in a file's name, leave it out.")


@dataclass(frozen=True)
class ValidationOptions:
    """Pictures kept aside: their loss shows whether the model learns or only remembers."""

    folder: Path | None = existing(None, "Folder with pictures that are never trained on.")
    share: float = option(
        0.0, "Or this share of the training pictures is kept aside, always the same for one seed: 0.1 is every tenth.",
        ge=0, le=0.5,
    )  # fmt: skip
    every: Every = option(Every(1, "epoch"), "How often their loss is measured.")
    timesteps: int = option(4, "Noise levels at which each picture is measured.", ge=1, le=100)
    seed: int = option(1234, "Seed of the fixed noise, and of the share that is kept aside.", ge=0)

    def __post_init__(self) -> None:
        if self.folder is not None and self.share:
            raise ConfigError(
                f"'validation.folder' is {self.folder} and 'validation.share' is {self.share:g}; give one of them."
            )


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """Train a network on a folder of pictures."""

    model: Path = existing(
        ..., "The checkpoint to start from: a .safetensors or .ckpt file, or a diffusers folder.",
        group="first",
    )  # fmt: skip
    vae: Path | None = labelled(
        "VAE",
        existing(
            None, "Another VAE than the checkpoint's own, as a file or a diffusers folder; empty keeps its own. "
            "Whole checkpoints that are written then hold this one.",
        ),
    )  # fmt: skip
    dataset: DatasetOptions = section(DatasetOptions)
    trainable: TrainableOptions = labelled(
        "What to train", choice(TRAINABLES, "lora", "What is trained.", group="first")
    )
    epochs: int = option(10, "How often all pictures are gone through.", ge=1, le=100_000, group="first")
    max_steps: int | None = option(None, "Ends the training after this many steps.", ge=1, unit="steps")
    batch_size: int = option(
        1, "Pictures per forward pass; more is faster and needs more memory.", ge=1, le=256, group="first"
    )
    accumulate: int = option(1, "Batches whose gradients are averaged into one step.", ge=1, le=1024, unit="batches")
    learning_rate: float = option(1e-4, "Step size of the U-Net.", ge=0, le=10, group="first")
    text_encoder_learning_rate: float | None = option(
        None, "Step size of the text encoder; empty means the same as the U-Net, 0 leaves it alone. What can't change "
        "a text encoder leaves it alone anyway.", ge=0, le=10,
    )
    second_text_encoder_learning_rate: float | None = option(
        None, "Step size of SDXL's second text encoder; empty means the same as the first, 0 leaves it alone.",
        ge=0, le=10,
    )  # fmt: skip
    text_encoder_rate_scale: float | None = option(
        None, "Step size of the text encoder as a multiple of the U-Net's, in the place of a rate of its own.",
        ge=0, le=100,
    )  # fmt: skip
    optimizer: OptimizerOptions = choice(OPTIMIZERS, "adamw", "Update rule.")
    schedule: ScheduleOptions = choice(SCHEDULES, "constant", "How the learning rate changes over the run.")
    max_grad_norm: float | None = option(1.0, "Clips gradients to this norm; empty turns clipping off.", ge=0.0001)
    loss: LossOptions = choice(LOSSES, "mse", "What is minimised.")
    diffusion: DiffusionOptions = section(DiffusionOptions)
    prior: PriorOptions = section(PriorOptions)
    precision: Literal["auto", "fp32", "fp16", "bf16"] = option(
        "auto", "Arithmetic: 'auto' takes bf16 where the machine is fast at it, fp16 on older GPUs, else fp32."
    )
    frozen_precision: Literal["auto", "fp32", "fp16", "bf16"] = option(
        "auto", "Number format of the weights that are not trained; 'auto' takes that of the arithmetic."
    )
    gradient_checkpointing: bool = option(False, "Saves memory by computing parts twice: about a third slower.")
    clip_skip: int = option(1, "Which text layer is used, counted from the last as the WebUI does.", ge=1, le=12)
    text: TextOptions = section(TextOptions)
    seed: int = option(0, "Start of all random numbers: equal seeds and options give equal results.", ge=0)
    previews: PreviewOptions = section(PreviewOptions)
    saving: SavingOptions = section(SavingOptions)
    validation: ValidationOptions = section(ValidationOptions)
    word: WordOptions = section(WordOptions)

    @property
    def name(self) -> str:
        """What the finished files are called, before the epoch."""
        word = self.trainable.token if isinstance(self.trainable, NewWord) else ""
        return self.saving.name or word.strip() or self.dataset.folder.name

    @property
    def file_format(self) -> FileFormat:
        """The format of the finished files."""
        return chosen_format(self.trainable.output, self.saving.format)

    @property
    def output_folder(self) -> Path:
        """Where the finished files go."""
        return self.saving.folder or output_folder(self.trainable.output)

    @property
    def keeps_classes(self) -> bool:
        """Whether there is a prior loss."""
        return self.prior.weight > 0 and any(concept.keeps_class for concept in self.dataset.concepts)

    @property
    def learning_rates(self) -> dict[str, float]:
        """The trained parts with their rates; a rate of 0 leaves a part alone.

        Where nothing is said of the text encoder, what can't ride on it leaves it alone.
        """
        scale = self.text_encoder_rate_scale
        if scale is None:
            scale = 1.0 if self.trainable.reaches_text_encoder else 0.0
        told, second = self.text_encoder_learning_rate, self.second_text_encoder_learning_rate
        text = self.learning_rate * scale if told is None else told
        rates = {"unet": self.learning_rate}
        if second is None:
            rates["text_encoder"] = text
        else:
            rates |= {"first_text_encoder": text, "second_text_encoder": second}
        if self.word.token:
            rates[WORD_PART] = self.word.learning_rate
        return {part: rate for part, rate in rates.items() if rate > 0}

    @property
    def kept_precision(self) -> FormatWish:
        """The number format of the weights; where the model itself is trained all of it is kept in 32 bits."""
        is_model = self.trainable.output == "checkpoint" and self.frozen_precision == "auto"
        return "fp32" if is_model else self.frozen_precision

    def __post_init__(self) -> None:
        if not self.name or set(self.name) & set(NOT_IN_NAMES):
            folder = self.dataset.folder
            raise ConfigError(f"The files can't be called {self.name!r}, as the folder {folder} is; set 'saving.name'.")
        if self.keeps_classes and self.prior.kind == "prediction":
            for number, concept in enumerate(self.dataset.concepts, start=1):
                if concept.keeps_class and not concept.class_prompt.strip():
                    raise ConfigError(
                        f"'dataset.concepts.{number}.class_prompt' is empty; 'prior.kind' is 'prediction', which asks "
                        "the model with it. Write it, or set 'prior.kind' to 'pictures'."
                    )
        self._check_text_rate()
        if not self.learning_rates:
            raise ConfigError("'learning_rate' is 0 and so is the text encoder's: nothing would be learned; raise one.")
        chosen_format(self.trainable.output, self.saving.format)  # refuses what can't be
        self.word.check_with(self.trainable)

    def _check_text_rate(self) -> None:
        if self.text_encoder_rate_scale is not None and self.text_encoder_learning_rate is not None:
            raise ConfigError(
                f"'text_encoder_rate_scale' is {self.text_encoder_rate_scale:g} and 'text_encoder_learning_rate' is "
                f"{self.text_encoder_learning_rate:g}; give one of them."
            )
