"""The table of learning-rate schedules."""

from __future__ import annotations

from lib_trainer.core.registry import Registry
from lib_trainer.training.schedules.base import ScheduleOptions
from lib_trainer.training.schedules.constant import Constant
from lib_trainer.training.schedules.cosine import Cosine
from lib_trainer.training.schedules.linear import Linear

SCHEDULES: Registry[ScheduleOptions] = Registry(
    "schedule", {"constant": Constant, "linear": Linear, "cosine": Cosine}
)
