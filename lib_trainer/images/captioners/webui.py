"""The interrogators of the WebUI in whose tab the step was started: the page's process asks them for the engine."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lib_trainer.core.errors import ConfigError
from lib_trainer.core.host_desk import HostDesk
from lib_trainer.core.options import option
from lib_trainer.images.captioners.base import Device, Tag

if TYPE_CHECKING:
    from PIL import Image

DESCRIBE, TAG = "describe", "tag"  # what is asked of the page


@dataclass(frozen=True)
class WebuiInterrogator:
    """A short sentence by the WebUI's own Interrogate CLIP, as its settings say; works in the tab of a WebUI only."""

    styles: bool = option(
        False, "Behind the sentence come the artist, medium and style that the CLIP interrogator finds most alike."
    )
    told_model = "the WebUI's Interrogate CLIP"

    def load(self, device: Device, desk: HostDesk | None = None) -> AskedWebui:
        """Nothing is read here: the WebUI fetches and reads its models when it is asked first.

        Raises:
            ConfigError: there is no WebUI that could be asked.
        """
        del device  # the WebUI's settings say where
        return AskedWebui(_desk(desk, DESCRIBE, "'describer' is 'webui'", "'blip'"), DESCRIBE, {"styles": self.styles})


@dataclass(frozen=True)
class WebuiDeepbooru:
    """Tags by the WebUI's own Interrogate DeepBooru, as sure as its settings say; works in the tab of a WebUI only."""

    told_model = "the WebUI's Interrogate DeepBooru"

    def load(self, device: Device, desk: HostDesk | None = None) -> AskedWebui:
        """As for `WebuiInterrogator`.

        Raises:
            ConfigError: there is no WebUI that could be asked.
        """
        del device
        return AskedWebui(_desk(desk, TAG, "'tagger' is 'webui deepbooru'", "'deepdanbooru'"), TAG)


def _desk(desk: HostDesk | None, what: str, chosen: str, other: str) -> HostDesk:
    if desk is None or not desk.offered(what):
        raise ConfigError(
            f"{chosen}, but no WebUI that can do that is there: start this in the tab of a WebUI, or take {other}."
        )
    return desk


@dataclass(frozen=True)
class AskedWebui:
    """A WebUI that answers for each picture."""

    desk: HostDesk
    what: str
    told: dict[str, Any] = field(default_factory=dict)
    where = "webui"

    def prepare(self, picture: Image.Image) -> str:
        """The answer itself: the threads that prepare pictures wait for it side by side.

        Raises:
            DeclinedError: the WebUI could not do it.
            StopRequested, OutputError: as `HostDesk.ask`.
        """
        file = io.BytesIO()
        picture.save(file, "PNG", compress_level=1)
        return self.desk.ask(self.what, file.getvalue(), self.told).decode("utf-8")

    def describe(self, prepared: list[Any]) -> list[str]:
        """The sentences, each on one line."""
        return [" ".join(said.split()) for said in prepared]

    def tag(self, prepared: list[Any]) -> list[list[Tag]]:
        """The tags in the WebUI's order; it does not tell how sure it is, so each counts as quite sure."""
        return [[Tag(name, "general", 1.0) for name in said.splitlines()] for said in prepared]
