"""Watch a run to its end: show its events, turn Ctrl-C into a request to stop, and say how it ended."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from itertools import islice
from typing import Any

from lib_trainer.core.events import Event, Finished, Notice, Stopped
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.jobs.follow import follow

STOPPED = 130


def watch(
    run: RunDirectory,
    process: subprocess.Popen[bytes] | None,
    show: Callable[[Event], None],
    offset: int = 0,
) -> tuple[int, dict[str, Any]]:
    """Show the events from a byte offset on until the run has ended.

    A first Ctrl-C asks the engine to stop after its current step and goes on watching; a second one leaves it alone.

    Returns:
        The exit code for the command line (0, 1, 2, or 130 if it was stopped) and the run's result.
    """
    is_alive = None if process is None else lambda: process.poll() is None
    asked, shown = False, 0
    while True:
        try:
            for event in islice(follow(run, offset, is_alive), shown, None):
                ending = event
                show(event)
                shown += 1
            return _outcome(ending, process)
        except KeyboardInterrupt:
            if asked or process is None:
                raise
            asked = True
            run.request("stop")
            show(Notice("Stopping after this step. Press Ctrl-C again to leave without waiting."))


def _outcome(ending: Event, process: subprocess.Popen[bytes] | None) -> tuple[int, dict[str, Any]]:
    if isinstance(ending, Finished):
        return 0, ending.result
    if isinstance(ending, Stopped):
        return STOPPED, {}
    code = 1 if process is None else process.wait()
    return (2 if code == 2 else 1), {}
