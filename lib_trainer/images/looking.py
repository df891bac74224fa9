"""Looking through a folder on behalf of a run: its progress is told, and a request to stop ends it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from lib_trainer.core.errors import StopRequested
from lib_trainer.core.events import Progress
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.images.buckets import Size
from lib_trainer.images.folder import scan
from lib_trainer.images.options import CaptionOptions
from lib_trainer.images.pictures import PictureFolder
from lib_trainer.images.pixels import measure

PROGRESS_SECONDS = 0.5


class LooksThrough(Protocol):
    """The options of a step that looks through a folder."""

    @property
    def folder(self) -> Path: ...

    @property
    def captions(self) -> CaptionOptions: ...


def look_through(
    options: LooksThrough, run: RunDirectory, look: Callable[[Path], Size] = measure
) -> PictureFolder:
    """Scan the folder; `look` as for `scan`.

    Raises:
        StopRequested: the run was asked to stop.
        DataError, ConfigError: as `scan`.
    """
    tell = picture_progress(run, "Looking at pictures")

    def looked(done: int, total: int) -> None:
        if run.stop_requested():
            raise StopRequested
        tell(done, total)

    return scan(options.folder, options.captions, looked, look)


def picture_progress(run: RunDirectory, stage: str) -> Callable[[int, int], None]:
    """`tell(done, total)` appends the progress, at most every half second and at the end."""
    told = 0.0

    def tell(done: int, total: int) -> None:
        nonlocal told
        if done == total or time.monotonic() - told > PROGRESS_SECONDS:
            told = time.monotonic()
            run.append(Progress(stage, done, total, "pictures"))

    return tell
