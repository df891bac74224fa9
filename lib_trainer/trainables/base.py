"""What every entry of the table of trainables provides."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from lib_trainer.core.outputs import Output

if TYPE_CHECKING:
    import torch

    from lib_trainer.models.model import Model
    from lib_trainer.models.outline import Outline

Shape = tuple[int, ...]


@dataclass(frozen=True)
class NetworkOutline:
    """What a network is going to be: its trained tensors, those of its file by name, and what its header says of it."""

    trained: list[Shape]
    file: dict[str, Shape]
    metadata: dict[str, str]


class Network(Protocol):
    """Small weights that ride on a model's modules; attached, they take part in every forward pass."""

    matched: int  # how many modules of the model it rides on

    def parameters(self, part: str) -> list[torch.nn.Parameter]:
        """The trained tensors of a part ("unet", "text_encoder"), fp32, in a stable order; none if it has none."""

    def groups(self, part: str) -> list[tuple[float, list[torch.nn.Parameter]]]:
        """The same tensors grouped by what their learning rate is multiplied by; at least one group."""

    def tensors(self) -> dict[str, torch.Tensor]:
        """What the file holds, by the WebUI's names."""

    def metadata(self) -> dict[str, str]:
        """What the file's header says about its shape (`ss_network_*`)."""

    def load_tensors(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Take the values of tensors of the same names and shapes."""

    def set_strength(self, strength: float) -> None:
        """How much it adds: 0 is the model alone, 1 is what was trained."""

    def train(self, training: bool) -> None:
        """Whether dropout is on."""

    def settle(self) -> None:
        """What is due after each update of the weights, such as limiting their norm."""

    def detach(self) -> None:
        """Leave the model as it was."""


class TrainableOptions(Protocol):
    """Options of one kind of network, how to start one, and how to recognise and open its file."""

    families: ClassVar[tuple[str, ...]]
    output: ClassVar[Output]  # which kind of file it is saved in
    reaches_text_encoder: ClassVar[bool]  # whether it can ride on text encoders too

    def attach(self, model: Model, parts: Collection[str], seed: int) -> Network:
        """Start a new network on those parts of a model; equal seeds give equal weights.

        Raises:
            ConfigError: the options can't work on this model.
        """

    def outline(self, model: Outline, parts: Collection[str], original_names: bool) -> NetworkOutline:
        """What `attach` would start, and its file hold, by kohya's names or the original ones."""

    @staticmethod
    def recognises(names: Collection[str]) -> bool:
        """Whether a file with these tensor names is of this kind."""

    @staticmethod
    def open(model: Model, tensors: Mapping[str, torch.Tensor], told: Mapping[str, str]) -> Network:
        """Attach the network that these tensors of a file describe.

        Args:
            model: what it rides on.
            tensors: those of the file, by kohya's names.
            told: what the file says besides: its header, of a `.pt` the plain values as JSON; and its `file_stem`.

        Raises:
            ModelError: some tensors fit no module of the model.
        """
