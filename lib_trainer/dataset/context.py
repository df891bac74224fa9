"""What a dataset needs from the run that opens it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lib_trainer.core.errors import StopRequested
from lib_trainer.core.events import Event, Notice


@dataclass(frozen=True)
class DatasetContext:
    """The run's side of a dataset: where to cache, how to batch, whom to tell, when to stop, how many epochs."""

    cache: Path
    seed: int
    batch_size: int
    emit: Callable[[Event], None]
    should_stop: Callable[[], bool]
    epochs: int = 1

    def warn(self, message: str) -> None:
        self.emit(Notice(message, level="warning"))

    def check_stop(self) -> None:
        """Raise `StopRequested` if the run was asked to stop."""
        if self.should_stop():
            raise StopRequested
