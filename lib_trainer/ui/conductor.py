"""Lets runs work one after another: starts the next of the queue when the card is free, and holds it meanwhile."""

from __future__ import annotations

import logging
import os
import subprocess
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lib_trainer.core.configs import load
from lib_trainer.core.errors import EngineError, OutputError, StopRequested, TrainerError
from lib_trainer.core.events import Event, Failed, Finished, Started, Stopped
from lib_trainer.core.file_lock import file_lock
from lib_trainer.core.run_directory import REQUESTS, RunDirectory
from lib_trainer.jobs.launcher import start
from lib_trainer.jobs.stamp import EngineState
from lib_trainer.steps import step_named
from lib_trainer.ui.help_for_runs import helping
from lib_trainer.ui.host import Host, host_draws
from lib_trainer.ui.new_files import NewFiles
from lib_trainer.ui.projects import COMMAND_LINE, all_projects, find_project
from lib_trainer.ui.queue import Entry, Queue
from lib_trainer.ui.runs import HEAVY_STEPS, Summaries, log_tail
from lib_trainer.ui.threads import is_alive, start_thread
from lib_trainer.ui.web import Refused

LOOK_SECONDS = 0.5
REST_SECONDS = 20.0
LOCK_SECONDS = 1.0  # longer than somebody's question whether a run is locked


@dataclass
class Work:
    """One run in the hands of a thread of ours; `starts` is how often it had been started before."""

    run: RunDirectory
    step: str
    starts: int
    entry: Entry | None = None  # its place in the queue, which it keeps until it has begun
    unwanted: bool = False


class Conductor:
    """Works through the queue in a thread of its own; only one of all hosts on a data folder conducts at a time."""

    def __init__(
        self, host: Host, home: Path, queue: Queue, summaries: Summaries, engine: Callable[[], EngineState]
    ) -> None:
        self.host, self.home, self.queue, self.summaries, self._engine = host, home, queue, summaries, engine
        self._waits = ""  # why the queue waits, a sentence for the user
        self._trouble = ""  # what the last run left behind
        self._works: dict[Path, Work] = {}
        self._changing = threading.RLock()
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self._rest_until = 0.0

    @property
    def notes(self) -> list[str]:
        """What the user should know of the queue, a sentence each."""
        return [note for note in (self._waits, self._trouble) if note]

    def begin(self) -> None:
        """Begin to conduct, if we do not yet."""
        if self._thread is None or not self._thread.is_alive():
            self._ending = threading.Event()
            self._thread = start_thread("conductor", partial(self._conduct, self._ending))

    def end(self) -> None:
        """Start no further run; those that work go on, and keep holding the card."""
        self._ending.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def wake(self) -> None:
        """Look at the queue now."""
        self._wake.set()

    def work_on(self, run: RunDirectory) -> Work | None:
        """What a thread of ours does on a run, if any."""
        return self._works.get(run.path)

    def start_at_once(self, run: RunDirectory) -> None:
        """Start a run that need not wait for the card."""
        with self._changing:
            self._begin_work(run, None)

    def stop(self, run: RunDirectory) -> None:
        """Ask a run to stop, also one that is only about to be started.

        Raises:
            OutputError: the request can't be left.
        """
        with self._changing:
            work = self._works.get(run.path)
            if work is not None:
                work.unwanted = True
            run.request("stop")

    def cancel(self, entry: Entry, run: RunDirectory) -> bool:
        """Take a run out of the queue; whether it waited there, and is not about to begin."""
        with self._changing:
            return run.path not in self._works and self.queue.remove(entry)

    def _conduct(self, ending: threading.Event) -> None:
        while not ending.is_set():
            if self.home.is_dir():
                with suppress(OSError), file_lock(self.home / "conductor.lock") as ours:
                    if ours:
                        self._adopt()
                        self._look_until(ending)
            ending.wait(LOOK_SECONDS)

    def _look_until(self, ending: threading.Event) -> None:
        while not ending.is_set():
            try:
                self._look()
            except (TrainerError, OSError) as error:
                self._waits = f"The queue waits: {error}"
            self._wake.wait(LOOK_SECONDS)
            self._wake.clear()

    def _look(self) -> None:
        """Start the first run of the queue, if nothing stands against it."""
        with self._changing:
            waiting = [(entry, run) for entry in self.queue.entries() if (run := self._run_of(entry)) is not None]
            if not waiting:
                self._waits = ""
                return
            if self._is_busy() or time.monotonic() < self._rest_until:
                return
            entry, run = waiting[0]
            state = self._engine()
            if state.python is None and not self._may_draw(run):
                self._waits = f"The queue waits: {state.message}"
                return
            self._waits = ""
            self._begin_work(run, entry)

    def _may_draw(self, run: RunDirectory) -> bool:
        try:
            return host_draws(self.host, *run.job())
        except TrainerError:
            return True  # it can't be done by anybody, which its own thread then says

    def _run_of(self, entry: Entry) -> RunDirectory | None:
        """The run of an entry; one whose folder has vanished, or that works by another's hand, waits no longer."""
        try:
            run = find_project(self.home, entry.project).run(entry.run)
        except Refused:
            self.queue.remove(entry)
            return None
        if run.path not in self._works and self.summaries.is_worked_on(run):
            self.queue.remove(entry)
            return None
        return run

    def _is_busy(self) -> bool:
        if any(work.step in HEAVY_STEPS for work in self._works.values()):
            return True
        projects = all_projects(self.home)
        return any(self.summaries.heavy_work(run) for project in projects for run in project.runs())

    def _begin_work(self, run: RunDirectory, entry: Entry | None) -> None:
        told = self.summaries.told(run)
        work = self._works[run.path] = Work(run, told.step, told.starts, entry)
        start_thread(f"run {run.path}", partial(self._work, work))

    def _work(self, work: Work) -> None:
        """See one run through, from waiting for the card to its end."""
        card: AbstractContextManager[object] = nullcontext()
        self._trouble = ""
        try:
            if work.step in HEAVY_STEPS:
                card = self.host.holding_the_card(work.run)
            with card:
                self._let_work(work)
        except StopRequested:
            self._settle(work, Stopped())
        except TrainerError as error:
            self._settle(work, Failed(str(error)))
        except Exception as error:  # as in the worker: whatever a host does wrong must reach the user as this run's end
            logging.getLogger(__name__).exception("The run %s failed", work.run.path)
            self._settle(work, Failed(f"{type(error).__name__}: {error}", traceback.format_exc()))
        finally:
            with self._changing:
                del self._works[work.run.path]
            self.wake()

    def _settle(self, work: Work, ending: Failed | Stopped) -> None:
        """Say how a run ended; what goes wrong after its own end is no failure of it, and the user's to know."""
        told = self.summaries.told(work.run)
        if told.starts > work.starts and told.ending is not None:
            said = ending.message if isinstance(ending, Failed) else "it was stopped"
            self._trouble = f"The card could not be given back after {told.name!r}: {said}"
        elif told.starts > work.starts or self._leaves_queue(work):
            _tell(work.run, ending)

    def _let_work(self, work: Work) -> None:
        if not self._leaves_queue(work):
            return
        if work.unwanted:
            raise StopRequested
        if host_draws(self.host, *work.run.job()) and self._draw(work):
            return
        python = self._engine().python
        if python is None:
            raise EngineError(f"{self._engine().message} Set it up, then resume this run.")
        new_files = NewFiles(self.host, self.summaries, work.run)
        with helping(self.host, work.run) as help_it:
            self._see_through(work, start(python, work.run), new_files, help_it)

    def _leaves_queue(self, work: Work) -> bool:
        """Take the run out of the queue; False if somebody else did that, or it can't be done now."""
        if work.entry is None:
            return True
        try:
            was_in = self.queue.remove(work.entry)
        except OutputError as error:
            self._waits, self._rest_until = f"The queue waits: {error}", time.monotonic() + REST_SECONDS
            return False
        work.entry = None
        return was_in

    def _see_through(
        self, work: Work, process: subprocess.Popen[bytes], new_files: NewFiles, help_it: Callable[[], None]
    ) -> None:
        with self._changing:
            if work.unwanted:  # the engine forgets what was asked before its start
                work.run.request("stop")
        while _is_running(process):
            new_files.tell()
            help_it()
        new_files.tell()
        if self.summaries.told(work.run).starts == work.starts:
            said = log_tail(work.run, 2000)
            raise EngineError(f"The engine ended before it began to work. Its log ends with:\n{said}")

    def _draw(self, work: Work) -> bool:
        """Let the host draw a comparison, as the engine would do it; False where the host leaves it to the engine."""
        run = work.run
        with file_lock(run.lock_file, LOCK_SECONDS) as ours:
            if not ours:
                raise EngineError(f"{run.path} is being worked on already; follow it, or stop it first.")
            for request in REQUESTS:
                run.take_request(request)
            if work.unwanted:
                run.request("stop")
            name, config = run.job()
            run.append(Started(name, os.getpid()))
            try:
                result = self.host.draw_comparison(load(step_named(name).options, config), run)
            except StopRequested:
                result = {}
                run.request("stop")
            if result is not None:
                run.append(Stopped() if run.take_request("stop") else Finished(result))
            return result is not None

    def _adopt(self) -> None:
        """Hold the card for runs that an earlier host of ours started and that still work."""
        for project in all_projects(self.home):
            for run in project.runs() if project.name != COMMAND_LINE else []:
                is_ours = is_alive(f"run {run.path}")  # since before the user pressed `Reload UI`
                if not is_ours and self.summaries.heavy_work(run):
                    start_thread(f"run {run.path}", partial(self._hold_until_it_ends, run))

    def _hold_until_it_ends(self, run: RunDirectory) -> None:
        with self.host.holding_the_card(run):
            new_files = NewFiles(self.host, self.summaries, run)
            while self.summaries.is_worked_on(run):
                new_files.tell()
                time.sleep(LOOK_SECONDS)
            new_files.tell()


def _is_running(process: subprocess.Popen[bytes]) -> bool:
    """Whether a process still runs after a moment."""
    try:
        process.wait(LOOK_SECONDS)
    except subprocess.TimeoutExpired:
        return True
    return False


def _tell(run: RunDirectory, event: Event) -> None:
    with suppress(OSError):  # the run's folder has vanished: there is nobody to tell
        run.append(event)
