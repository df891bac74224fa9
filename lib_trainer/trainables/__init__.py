"""The table of what can be trained."""

from __future__ import annotations

from lib_trainer.core.registry import Registry
from lib_trainer.trainables.base import TrainableOptions
from lib_trainer.trainables.lora import Lora

TRAINABLES: Registry[TrainableOptions] = Registry("trainable", {"lora": Lora})
