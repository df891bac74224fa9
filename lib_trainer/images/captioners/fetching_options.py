"""The options of the step `fetch`."""

from __future__ import annotations

from dataclasses import dataclass

from lib_trainer.core.errors import ConfigError
from lib_trainer.core.options import option
from lib_trainer.core.registry import did_you_mean
from lib_trainer.images.captioners.known_models import KNOWN_MODELS, KnownModel


@dataclass(frozen=True, kw_only=True)
class FetchOptions:
    """Download a captioner's model, once; what was cut off goes on where it ended."""

    model: str = option(..., f"Which model: {', '.join(KNOWN_MODELS)}.", group="first")
    hub: str = option("", "Address of a mirror of the Hugging Face hub; empty means the hub itself.")
    attempts: int = option(5, "How often a file that was cut off is gone on with, before it is given up.", ge=1, le=100)

    def known(self) -> KnownModel:
        """The model.

        Raises:
            ConfigError: there is none of that name.
        """
        if self.model not in KNOWN_MODELS:
            hint = did_you_mean(self.model, list(KNOWN_MODELS))
            raise ConfigError(f"'model' is {self.model!r}; it must be one of {', '.join(KNOWN_MODELS)}.{hint}")
        return KNOWN_MODELS[self.model]
