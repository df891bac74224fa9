"""The graphics memory, lent to a run: the WebUI's model goes, nobody draws meanwhile, and the model comes back."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from lib_trainer.core.events import Notice
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.ui.webui.loaded_model import bring_model_back, drop_model, loaded_model, nobody_loads_it, version_of
from lib_trainer.ui.webui.settings import generate_may_run
from lib_trainer.ui.webui.turn import SAID, Turn, stop_asked_since_now

PAUSE_SECONDS = 2.0  # the next run of the queue comes sooner, and would only drop the model again
LOOK_SECONDS = 0.5
MOST_WAITING = 50
NOT_BACK = (
    "The WebUI's model could not be loaded again after the run; its console says why. The next picture tries it again."
)


class Card:
    """Who needs the card; several may at once, the first of whom takes it and the last of whom gives it back."""

    def __init__(self) -> None:
        self._changing = threading.Lock()
        self._holders = 0
        self._turn: Turn | None = None
        self._is_wanted = threading.Event()
        self._is_model_owed = False
        self._is_not_back = False
        self.version_before = version_of(None)

    @property
    def is_held(self) -> bool:
        """Whether the WebUI's own pictures wait for a run now."""
        return self._turn is not None

    @property
    def note(self) -> str:
        """What the user should know of the WebUI's model; usually nothing."""
        return NOT_BACK if self._is_not_back and loaded_model() is None else ""

    @contextmanager
    def held_for(self, run: RunDirectory) -> Iterator[None]:
        """The card is free of the WebUI's model, and nothing is drawn on it, as long as the block lasts.

        Where the user wants to draw meanwhile, only the model goes. A run that is asked to stop while it waits for its
        turn enters at once, without the card: it must not begin.
        """
        with self._changing:
            holds = self._holders > 0 or self._take(run)
            self._holders += holds
        try:
            yield
        finally:
            if holds:
                self._leave()

    def _take(self, run: RunDirectory) -> bool:
        from modules import call_queue, shared

        self._is_wanted.set()
        turn = Turn(call_queue.queue_lock)
        if not turn.take(stop_asked_since_now(run), lambda: run.append(Notice(SAID))):
            self._is_wanted.clear()
            return False
        try:
            self.version_before = version_of(loaded_model()) or self.version_before
            self._is_model_owed = drop_model() or self._is_model_owed
        except BaseException:
            turn.end()
            raise
        if generate_may_run():
            turn.end()
        else:
            self._turn = turn
            shared.state.interrupted = False  # may be left from the last picture
            threading.Thread(target=self._watch, args=(turn,), name="lib-trainer interrupt", daemon=True).start()
        return True

    def _watch(self, turn: Turn) -> None:
        """Let waiting pictures end, undrawn, when the user presses Interrupt or `Reload UI`, which waits for them."""
        from modules import shared

        while self._turn is turn:
            if shared.state.interrupted:
                with self._changing:
                    if self._turn is turn:
                        _send_waiting_away(turn)
            time.sleep(LOOK_SECONDS)

    def _leave(self) -> None:
        with self._changing:
            self._holders -= 1
            if self._holders:
                return
            turn, self._turn = self._turn, None
            if turn is not None:
                turn.end()
            self._is_wanted.clear()
            if self._is_model_owed:
                threading.Thread(target=self._pay_back, name="lib-trainer model", daemon=True).start()

    def _pay_back(self) -> None:
        """Bring the model back, unless the card is wanted again; an error ends this thread, and only that."""
        from modules import call_queue

        if self._is_wanted.wait(PAUSE_SECONDS):
            return
        with call_queue.queue_lock:
            if self._is_wanted.is_set():
                return
            self._is_model_owed, self._is_not_back = False, True
            if loaded_model() is None:
                bring_model_back()
            self._is_not_back = False


def _send_waiting_away(turn: Turn) -> None:
    from modules import progress, shared

    with nobody_loads_it():
        for _ in range(MOST_WAITING):
            turn.let_others_go_first()
            if not progress.pending_tasks:
                break
    shared.state.interrupted = False
