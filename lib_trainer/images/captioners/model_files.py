"""The options of a captioner whose model lies on this computer: which one, and where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from lib_trainer.core.options import existing, option
from lib_trainer.images.captioners.found_models import find_model


@dataclass(frozen=True)
class ModelFiles:
    """A model that is found by its name, or at a place of its own; `kind` is what users call such models."""

    kind: ClassVar[str]

    model: str = option("", "Name of the model; empty means the first that is found.", group="first")
    place: Path | None = existing(None, "Folder of a model that lies elsewhere.")

    @staticmethod
    def recognises(path: Path) -> bool:
        """Whether such a model lies there."""
        raise NotImplementedError

    @property
    def told_model(self) -> str:
        """The file or folder that is used.

        Raises:
            ModelError: there is none.
        """
        return str(self.found())

    def found(self) -> Path:
        """The file or folder of the model.

        Raises:
            ModelError: there is none.
        """
        return find_model(self.kind, self.model, self.place, self.recognises)
