"""No captioner: the entry of both tables that says nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lib_trainer.core.host_desk import HostDesk
    from lib_trainer.images.captioners.base import Device


@dataclass(frozen=True)
class Nothing:
    """Leave this half of the caption out."""

    told_model = ""

    def load(self, device: Device, desk: HostDesk | None = None) -> None:
        """There is nothing to load."""
