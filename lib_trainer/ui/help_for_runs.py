"""What the page's process does for a run at work, where its host can: enlarging small pictures for `prepare`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lib_trainer.core.errors import StopRequested
from lib_trainer.core.host_desk import DeclinedError, offering
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.ui.host import Host

ENLARGE = "enlarge"  # as images/crops/enlarging.py asks
HELPED_STEPS = ("prepare",)


@contextmanager
def helping(host: Host, run: RunDirectory) -> Iterator[Callable[[], None]]:
    """For as long as the block lasts: yields what does what the run's engine waits for now, and is to be called often.

    Raises:
        OSError: the run's folder can't be written.
    """
    step, config = run.job()
    names = host.upscalers() if step in HELPED_STEPS and config.get(ENLARGE) == "webui" else []
    if not names:
        yield lambda: None
        return

    def work(source: Path, target: Path, told: dict[str, Any]) -> None:
        if told.get("what") != ENLARGE:
            raise DeclinedError(f"{told.get('what')!r} is nothing that is done here")
        try:
            host.enlarge(source, target, told, run)
        except StopRequested as error:
            raise DeclinedError("the run was asked to stop") from error  # which the engine sees by itself

    with offering(run, {ENLARGE: names}, work) as serve:
        yield serve
