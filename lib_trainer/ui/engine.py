"""The engine as the page sees it: whether it is ready, and its set-up in a thread."""

from __future__ import annotations

import logging
import os
import threading
import traceback
from pathlib import Path
from typing import Literal

from lib_trainer.core.errors import OutputError, TrainerError
from lib_trainer.core.events import Event, Failed, Finished, Started, Stopped
from lib_trainer.core.file_lock import file_lock, is_locked
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.jobs.child_processes import SetupStoppedError
from lib_trainer.jobs.environment import EnvironmentOptions, ensure_engine
from lib_trainer.jobs.stamp import EngineState, engine_state
from lib_trainer.ui.host import Host
from lib_trainer.ui.runs import Summaries
from lib_trainer.ui.web import Refused

LOCK_SECONDS = 1.0
SetupState = Literal["idle", "running", "failed", "finished", "stopped"]


class Engine:
    """The engine of one data folder; `directory` keeps the events of its last set-up."""

    def __init__(self, host: Host, home: Path) -> None:
        self._host, self._home = host, home
        self.directory = RunDirectory(home / "setup")
        self._summaries = Summaries()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def state(self) -> EngineState:
        """Whether the engine is ready; a Python that the user named at the start is taken as it is."""
        python = self._host.python
        if python is None:
            return engine_state(self._home)
        if not python.is_file():
            return EngineState("absent", f"The engine's Python {python}, as named at the start, is not there.")
        return EngineState("ready", f"The engine is {python}, as named at the start.", python)

    def setup_state(self) -> SetupState:
        """How the last set-up stands; one that died with its host has failed."""
        if self._works():
            return "running"
        told = self._summaries.told(self.directory)
        return told.ending or ("failed" if told.starts else "idle")

    def begin_setup(self, options: EnvironmentOptions) -> None:
        """Set the engine up in a thread.

        Raises:
            Refused: a set-up is running (409).
            OutputError: the folder of its events can't be written.
        """
        with self._starting:
            if self._works():
                raise Refused("The engine is being set up already; wait for that, or stop it.", 409)
            try:
                self.directory.path.mkdir(parents=True, exist_ok=True)
                self.directory.events_file.unlink(missing_ok=True)
            except OSError as error:
                raise OutputError(f"{self.directory.path} can't be written ({error}); check its rights.") from error
            self._summaries.forget(self.directory)
            self.directory.take_request("stop")
            self._thread = threading.Thread(target=self._set_up, args=(options,), name="lib-trainer setup", daemon=True)
            self._thread.start()

    def stop_setup(self) -> None:
        """Ask the set-up to stop.

        Raises:
            Refused: none is running (409).
        """
        if not self._works():
            raise Refused("No set-up of the engine is running.", 409)
        self.directory.request("stop")

    def _works(self) -> bool:
        ours = self._thread is not None and self._thread.is_alive()
        return ours or is_locked(self.directory.lock_file)

    def _set_up(self, options: EnvironmentOptions) -> None:
        run = self.directory
        with file_lock(run.lock_file, LOCK_SECONDS) as ours:
            if ours:
                run.append(Started("setup", os.getpid()))
                run.append(self._outcome(options))

    def _outcome(self, options: EnvironmentOptions) -> Event:
        run = self.directory
        try:
            python = ensure_engine(options, self._home, run.append, run.stop_requested)
        except SetupStoppedError:
            return Stopped()
        except TrainerError as error:
            return Failed(str(error))
        except Exception as error:  # as in the worker: a bug must reach the user as the end of this set-up
            logging.getLogger(__name__).exception("The engine's set-up failed")
            return Failed(f"{type(error).__name__}: {error}", traceback.format_exc())
        return Finished({"python": str(python)})
