"""All that the page talks to: one object for a host and a data folder, which answers requests."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from lib_trainer.core.errors import TrainerError
from lib_trainer.core.places import data_folder
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.jobs.launcher import new_run
from lib_trainer.ui.boundaries import Boundaries
from lib_trainer.ui.caption_store import CaptionStore
from lib_trainer.ui.checks import checked, in_project
from lib_trainer.ui.conductor import Conductor
from lib_trainer.ui.engine import Engine
from lib_trainer.ui.host import Host, host_draws
from lib_trainer.ui.listings import Listings
from lib_trainer.ui.projects import COMMAND_LINE, Project, all_projects, find_project
from lib_trainer.ui.queue import Entry, Queue
from lib_trainer.ui.removal import prune
from lib_trainer.ui.routes import find
from lib_trainer.ui.runs import HEAVY_STEPS, UNLISTED_STEPS, WORKING, State, Summaries, summary
from lib_trainer.ui.web import Refused, Reply, Request, refusal


class Server:
    """Answers the page of one host from one data folder; keep it over `Reload UI`: `end` it, then `begin` again."""

    def __init__(self, host: Host, home: Path | None = None) -> None:
        self.host = host
        self.home = (home or data_folder()).absolute()
        self.queue = Queue(self.home)
        self.summaries = Summaries()
        self.engine = Engine(host, self.home)
        self.conductor = Conductor(host, self.home, self.queue, self.summaries, self.engine.state)
        self.boundaries = Boundaries(host, self.home)
        self.listings = Listings()
        self.captions = CaptionStore(self.boundaries, self.listings, self.home)

    def begin(self) -> None:
        """Begin to work through the queue."""
        self.conductor.begin()

    def end(self) -> None:
        """Start no more runs; those that work go on."""
        self.conductor.end()

    def answer(self, request: Request) -> Reply:
        """The reply to a request; whatever goes wrong becomes a sentence in a reply."""
        try:
            handler, parts = find(request.method, request.path)
            return handler(self, replace(request, parts=parts))
        except TrainerError as error:
            return refusal(error)
        except Exception as error:  # the boundary to the host: a bug in one answer must not take its tab down
            logging.getLogger(__name__).exception("%s %s failed", request.method, request.path)
            said = f"The trainer has a bug: {type(error).__name__}: {error}. The console shows where; please report it."
            return refusal(Refused(said, 500))

    def project(self, name: str) -> Project:
        """The project of that name.

        Raises:
            Refused: there is none (404).
        """
        return find_project(self.home, name)

    def start_run(self, project: Project, step: str, config: dict[str, Any], first: bool = False) -> RunDirectory:
        """Make a run of a project; one that needs the card waits in the queue, any other starts at once.

        Raises:
            Refused: the configuration has complaints (422), or the engine is not ready (409).
            OutputError: the run's folder can't be made, or the queue not be written.
        """
        if project.name == COMMAND_LINE:
            raise Refused("This project only shows the runs of the command line; choose another for new ones.", 409)
        run_id = self._free_id(project, step)
        plain = checked(self, step, in_project(project, step, config), project.comparisons_folder / run_id)
        self.check_engine(step, plain)
        if step in UNLISTED_STEPS:
            prune(self, project, step)
        run = new_run(step, plain, project.runs_folder / run_id)
        self.put_to_work(project, run, first)
        return run

    def put_to_work(self, project: Project, run: RunDirectory, first: bool = False) -> None:
        """Let a run that is there begin, or begin again: at once, or when its turn comes."""
        if self.summaries.told(run).step in HEAVY_STEPS:
            self.queue.add(Entry(project.name, run.path.name), first)
            self.conductor.wake()
        else:
            self.conductor.start_at_once(run)

    def check_engine(self, step: str, config: dict[str, Any]) -> None:
        """See that somebody is there to do a step's work.

        Raises:
            Refused: the engine is not ready, and the host does not do it either (409).
        """
        state = self.engine.state()
        if state.python is None and not host_draws(self.host, step, config):
            raise Refused(f"{state.message} Set the engine up first; nothing was started.", 409)

    @staticmethod
    def _free_id(project: Project, step: str) -> str:
        wished = f"{step}-{time.strftime('%Y%m%d-%H%M%S')}"
        name, count = wished, 1
        while (project.runs_folder / name).exists():
            count += 1
            name = f"{wished}-{count}"
        return name

    def state(self, run: RunDirectory, waits: bool = False) -> State:
        """How a run stands, by its files and by what our own threads do; `waits` says that it is in the queue."""
        told, work = self.summaries.told(run), self.conductor.work_on(run)
        if not run.job_file.is_file():
            return "vanished"
        began = told.starts > (work.starts if work else 0)
        if work is not None and not (began and told.ending):
            is_asked = work.unwanted or (began and run.stop_requested())
            return "stopping" if is_asked else "running" if began else "starting"
        if told.ending is None and self.summaries.is_worked_on(run):
            return "stopping" if began and run.stop_requested() else "running" if began else "starting"
        if waits:
            return "queued"
        return told.ending or "interrupted"

    def summary(self, project: Project, run: RunDirectory, entries: list[Entry] | None = None) -> dict[str, Any]:
        """A run as the page gets it (RUN); `entries` are the queue's, if they were asked for already."""
        waiting = self.queue.entries() if entries is None else entries
        entry = Entry(project.name, run.path.name)
        place = waiting.index(entry) + 1 if entry in waiting else None
        state = self.state(run, place is not None)
        return summary(project, run, self.summaries.told(run), state, place)

    def count(self, project: Project) -> int:
        """How many runs of a project are listed."""
        return sum(self.summaries.told(run).step not in UNLISTED_STEPS for run in project.runs())

    def listed(self, project: Project) -> list[dict[str, Any]]:
        """The runs of a project (RUN), newest first; also those whose folder vanished while we looked."""
        entries = self.queue.entries()
        runs = project.runs() + self.summaries.gone(project)
        shown = [run for run in runs if self.summaries.told(run).step not in UNLISTED_STEPS]
        found = [self.summary(project, run, entries) for run in shown]
        return sorted(found, key=lambda run: (run["created"] or 0, run["id"]), reverse=True)

    def working(self) -> list[dict[str, Any]]:
        """The runs (RUN) of all projects that are worked on now."""
        found = []
        for project in all_projects(self.home):
            for run in project.runs():
                told = self.summaries.told(run)
                is_open = told.ending is None or self.conductor.work_on(run) is not None
                if is_open and told.step not in UNLISTED_STEPS and self.state(run) in WORKING:
                    found.append(self.summary(project, run))
        return found

    def waiting(self) -> list[dict[str, Any]]:
        """The runs (RUN) of all projects that wait in the queue, in its order."""
        entries, found = self.queue.entries(), []
        for entry in entries:
            try:
                project = self.project(entry.project)
                found.append(self.summary(project, project.run(entry.run), entries))
            except Refused:
                continue  # its folder has vanished; the conductor takes it out
        return [run for run in found if run["state"] == "queued"]
