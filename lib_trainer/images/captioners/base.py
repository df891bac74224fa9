"""What every captioner provides: options that load it, and a loaded one that says words about pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from lib_trainer.core.host_desk import HostDesk

if TYPE_CHECKING:
    from PIL import Image

Device = Literal["cpu", "cuda"]


@dataclass(frozen=True)
class Tag:
    """One thing that a tagger sees: its name as in the model's list, its category, and how sure it is (0 to 1)."""

    name: str
    category: str
    score: float


class LoadedDescriber(Protocol):
    """A captioner with its model in memory that says a sentence about each picture."""

    @property
    def where(self) -> str:
        """The device that computes: "cpu", "cuda", or "webui" for whichever its settings say."""

    def prepare(self, picture: Image.Image) -> Any:
        """What the model takes of one picture (RGB); called in threads.

        Raises:
            DeclinedError: this picture can't be used.
            StopRequested: the run was asked to stop while it waited.
        """

    def describe(self, prepared: list[Any]) -> list[str]:
        """A caption of each prepared picture."""


class LoadedTagger(Protocol):
    """A captioner with its model in memory that names what is in each picture."""

    @property
    def where(self) -> str:
        """The device that computes: "cpu", "cuda", or "webui" for whichever its settings say."""

    def prepare(self, picture: Image.Image) -> Any:
        """What the model takes of one picture (RGB); called in threads.

        Raises:
            DeclinedError: this picture can't be used.
            StopRequested: the run was asked to stop while it waited.
        """

    def tag(self, prepared: list[Any]) -> list[list[Tag]]:
        """What is in each prepared picture, in the order of the model's list."""


class DescriberOptions(Protocol):
    """Options of a captioner that writes sentences."""

    def load(self, device: Device, desk: HostDesk | None = None) -> LoadedDescriber | None:
        """Read the model; `desk` is for those that the page's host asks.

        Raises:
            ConfigError: two options contradict each other, or there is no host that could be asked.
            ModelError: there is none, or it can't be used.
        """

    @property
    def told_model(self) -> str:
        """Which model, for the user; nothing where none is used."""


class TaggerOptions(Protocol):
    """Options of a captioner that writes tags."""

    def load(self, device: Device, desk: HostDesk | None = None) -> LoadedTagger | None:
        """As for `DescriberOptions`."""

    @property
    def told_model(self) -> str:
        """As for `DescriberOptions`."""
