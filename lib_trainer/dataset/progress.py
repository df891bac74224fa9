"""How far the pictures are, told not more often than somebody can read."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from lib_trainer.core.events import Event, Progress

SECONDS = 0.5


@dataclass
class PictureProgress:
    """Emits how many pictures one stage has done, at most every half second, and when all are done."""

    emit: Callable[[Event], None]
    stage: str
    told: float = 0.0

    def tell(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self.told >= SECONDS or done == total:
            self.told = now
            self.emit(Progress(self.stage, done, total, "pictures"))
