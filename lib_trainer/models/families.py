"""The table of model families; a family is one line here and its own files."""

from __future__ import annotations

from lib_trainer.models.model import Family
from lib_trainer.models.sd1 import StableDiffusion1
from lib_trainer.models.sd2 import StableDiffusion2
from lib_trainer.models.sdxl import StableDiffusionXL

FAMILIES: dict[str, type[Family]] = {"sd1": StableDiffusion1, "sd2": StableDiffusion2, "sdxl": StableDiffusionXL}
