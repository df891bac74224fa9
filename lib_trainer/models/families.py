"""The table of model families; a family is one line here and its own files."""

from __future__ import annotations

from lib_trainer.models.model import Family
from lib_trainer.models.sd1 import StableDiffusion1

FAMILIES: dict[str, type[Family]] = {"sd1": StableDiffusion1}
