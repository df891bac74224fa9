"""The table of update rules."""

from __future__ import annotations

from lib_trainer.core.registry import Registry
from lib_trainer.training.optimizers.adamw import AdamW
from lib_trainer.training.optimizers.base import OptimizerOptions

OPTIMIZERS: Registry[OptimizerOptions] = Registry("optimizer", {"adamw": AdamW})
