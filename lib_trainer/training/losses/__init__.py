"""The table of losses."""

from __future__ import annotations

from lib_trainer.core.registry import Registry
from lib_trainer.training.losses.base import LossOptions
from lib_trainer.training.losses.mse import MeanSquaredError

LOSSES: Registry[LossOptions] = Registry("loss", {"mse": MeanSquaredError})
