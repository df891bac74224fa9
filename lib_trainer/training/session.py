"""All that a training run works with, built from its options: model, network, pictures, optimizer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from lib_trainer.core.errors import ConfigError
from lib_trainer.core.events import Notice
from lib_trainer.core.places import cache_folder
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.dataset.context import DatasetContext
from lib_trainer.dataset.dataset import Dataset
from lib_trainer.dataset.opening import open_dataset, open_divided, shared_pictures
from lib_trainer.dataset.options import held_out_options
from lib_trainer.dataset.text_cache import TextCache
from lib_trainer.models.checkpoints import count_weights
from lib_trainer.models.loading import load_model
from lib_trainer.models.machine import formats
from lib_trainer.models.model import Model, Prediction
from lib_trainer.models.precision import DTYPES, Precision, best_device, machine_with
from lib_trainer.models.prompt import PromptReader
from lib_trainer.models.small_convolutions import use_matrix_products
from lib_trainer.trainables.base import Network
from lib_trainer.training.checks import check_captions, check_formats, check_model
from lib_trainer.training.class_drawing import open_prior
from lib_trainer.training.length import Length
from lib_trainer.training.options import TrainingOptions
from lib_trainer.training.randomness import seed_global
from lib_trainer.training.remarks import NAMES_UNKNOWN, PREDICTED, are_names_unknown, prediction_untold
from lib_trainer.training.validation import Row, fixed_table, shown_in
from lib_trainer.training.words import attach_network

if TYPE_CHECKING:
    from accelerate import Accelerator



@dataclass
class Session:
    """One run's parts.

    Args:
        learning_rates: those of the trained parts before the schedule changes them.
        group_rates: the same of the optimizer's groups, each with its part.
    """

    options: TrainingOptions
    run: RunDirectory
    model: Model
    network: Network
    accelerator: Accelerator
    optimizer: Any
    dataset: Dataset
    held_out: list[Row]
    learning_rates: dict[str, float]
    group_rates: list[tuple[str, float]]
    texts: TextCache | None

    @property
    def prediction(self) -> Prediction:
        return self.model.prediction

    @property
    def parameters(self) -> list[torch.nn.Parameter]:
        """Every trained tensor, part by part."""
        return [tensor for part in self.learning_rates for tensor in self.network.parameters(part)]

    @property
    def length(self) -> Length:
        """Steps of the epochs and of the whole run."""
        return Length.of(self.options, self.dataset.epoch_lengths)

    @property
    def total_steps(self) -> int:
        """Steps of the whole run."""
        return self.length.steps

    def denoise(
        self,
        noisy: Tensor,
        timesteps: Tensor,
        captions: list[str],
        frames: Tensor | None = None,
        around: Tensor | None = None,
    ) -> Tensor:
        """The model's answer [n, c, h, w] in the number format of the arithmetic, on the training device."""
        device = self.accelerator.device
        with self.accelerator.autocast():
            text = self._text(captions)
            return self.model.predict(noisy.to(device), timesteps.to(device), text.to(device), frames, around)

    def _text(self, captions: list[str]) -> Tensor:
        if self.texts is not None:
            return self.texts.encode(captions)
        return PromptReader(self.model, self.options.clip_skip, self.options.text).encode(captions)


def open_session(options: TrainingOptions, run: RunDirectory) -> Session:
    """Load the model, encode the pictures, attach a new network and build its optimizer.

    Raises:
        TrainerError: anything the user can mend, before any training starts.
        StopRequested: the run was asked to stop while pictures were being encoded.
    """
    rates = options.learning_rates
    device = best_device()
    chosen = formats(
        options.precision, options.kept_precision, machine_with(device), lambda: count_weights(options.model)
    )
    check_formats(options, chosen, device.type)
    precision = Precision(*(DTYPES[name] for name in chosen))
    accelerator = _accelerator(precision)
    seed_global(options.seed)
    run.append(Notice(f"Training {options.model.name} on the {device.type} in {_name(precision.arithmetic)}."))
    model = load_model(options.model, precision.frozen, device, options.vae)
    check_model(options, model)
    context = DatasetContext(
        cache=cache_folder(), seed=options.seed, batch_size=options.batch_size, emit=run.append,
        should_stop=run.stop_requested, epochs=options.epochs,
    )
    dataset, held_out = _open_pictures(options, model, context)
    check_captions(options, [entry.caption for entry in dataset.entries])
    model.release_vae()  # before the other parts are read: both together need more memory than training
    _settle_prediction(options, model, run)
    if device.type == "cpu":
        use_matrix_products(model.parts["unet"])
    dataset.prior = open_prior(options, model, dataset, run)
    texts = None if rates.keys() - {"unet"} else _encode_texts(options, model, dataset, held_out)
    network = attach_network(options, model, dataset)
    if are_names_unknown(options, model.webui_knows_network_names):
        run.append(Notice(NAMES_UNKNOWN))
    if options.gradient_checkpointing:
        _turn_on_checkpointing(model)
    groups, group_rates = _groups(network, rates)
    optimizer = accelerator.prepare_optimizer(options.optimizer.build(groups))
    return Session(options, run, model, network, accelerator, optimizer, dataset, held_out, rates, group_rates, texts)


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _settle_prediction(options: TrainingOptions, model: Model, run: RunDirectory) -> None:
    """Take what is told before what the model says; its parts are read here, so that a silent one was tried."""
    _ = model.parts
    if options.diffusion.prediction != "auto":
        model.prediction = options.diffusion.prediction  # previews are drawn with it too
    elif not model.prediction_told:
        run.append(Notice(f"{prediction_untold(model.path)} Tried out, it predicts {PREDICTED[model.prediction]}."))


def _groups(network: Network, rates: dict[str, float]) -> tuple[list[dict[str, Any]], list[tuple[str, float]]]:
    """The optimizer's groups, and the part and learning rate of each."""
    grouped = [(part, rate * times, those) for part, rate in rates.items() for times, those in network.groups(part)]
    groups = [{"params": those, "lr": rate} for _, rate, those in grouped]
    return groups, [(part, rate) for part, rate, _ in grouped]


def _accelerator(precision: Precision) -> Accelerator:
    from accelerate import Accelerator

    mixed = "no"
    if precision.arithmetic == torch.float16:
        mixed = "fp16"
    elif precision.arithmetic != precision.frozen:
        mixed = "bf16"
    accelerator = Accelerator(mixed_precision=mixed)
    if accelerator.num_processes > 1:
        raise ConfigError(f"{accelerator.num_processes} processes were started; training uses one GPU, start one.")
    return accelerator


def _open_pictures(options: TrainingOptions, model: Model, context: DatasetContext) -> tuple[Dataset, list[Row]]:
    """The training pictures, and the table of losses on those kept aside."""
    aside = options.validation
    if aside.share:
        dataset, kept = open_divided(options.dataset, model, context, aside.share, aside.seed)
    else:
        dataset = open_dataset(options.dataset, model, context)
        if aside.folder is None:
            return dataset, []
        kept = open_dataset(held_out_options(options.dataset, aside.folder), model, context)
    for trained, same in shared_pictures(dataset, kept):
        context.emit(Notice(f"{same} is also trained on, as {trained}; its loss says nothing.", level="warning"))
    batches = [kept.load(plan, 0) for plan in sorted(kept.batches(0), key=lambda plan: plan[0].entry)]
    by_path = {path: shown for batch in batches for path, shown in zip(batch.paths, shown_in(batch), strict=True)}
    return dataset, fixed_table([by_path[entry.path] for entry in kept.entries], aside.timesteps, aside.seed)


def _encode_texts(
    options: TrainingOptions, model: Model, dataset: Dataset, held_out: list[Row]
) -> TextCache:
    texts = TextCache(PromptReader(model, options.clip_skip, options.text), dataset.context)
    kept = [] if dataset.prior is None else dataset.prior.captions
    texts.prepare([*(dataset.steady_captions or []), *kept, *(row.caption for row in held_out)])
    return texts


def _turn_on_checkpointing(model: Model) -> None:
    turn_on: Callable[[], None]
    for name, part in model.parts.items():
        part.train()  # the libraries recompute only in this mode; neither part has dropout of its own
        turn_on = part.enable_gradient_checkpointing if name == "unet" else part.gradient_checkpointing_enable  # type: ignore[assignment]
        turn_on()
