"""A piece of work that the WebUI shows as its own: in its queue, with its progress bar and its Interrupt button."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.ui.webui.turn import webui_to_itself

LOOK_SECONDS = 0.2


def task_id(run: RunDirectory) -> str:
    """What the WebUI's progress route and `requestProgress` call the work on a run."""
    return f"task(trainer-{run.path.name})"


@contextmanager
def webui_task(run: RunDirectory) -> Iterator[Any]:
    """The WebUI works for this run as long as the block lasts; yields its `state`, which a stop request interrupts.

    Raises:
        StopRequested: the run was asked to stop before its turn came.
    """
    from modules import progress

    name = task_id(run)
    progress.add_task_to_queue(name)
    try:
        with webui_to_itself(run), _begun(name) as state, _obeyed(run, state), _last_prompt_kept():
            yield state
    finally:
        progress.pending_tasks.pop(name, None)


@contextmanager
def _begun(name: str) -> Iterator[Any]:
    from modules import progress, shared

    shared.state.begin(job=name)
    progress.start_task(name)
    try:
        yield shared.state
    finally:
        progress.finish_task(name)
        shared.state.end()
        shared.state.skipped = shared.state.interrupted = shared.state.stopping_generation = False


@contextmanager
def _obeyed(run: RunDirectory, state: Any) -> Iterator[None]:
    """A request to stop interrupts the picture that is being drawn."""
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(LOOK_SECONDS):
            if run.stop_requested():
                state.interrupt()
                return

    watching = threading.Thread(target=look, name="lib-trainer stop", daemon=True)
    watching.start()
    try:
        yield
    finally:
        ended.set()
        watching.join()


@contextmanager
def _last_prompt_kept() -> Iterator[None]:
    """The WebUI's own last prompt is not replaced by ours; it offers that at its next start."""
    from modules import shared

    before = shared.cmd_opts.no_prompt_history
    shared.cmd_opts.no_prompt_history = True
    try:
        yield
    finally:
        shared.cmd_opts.no_prompt_history = before
