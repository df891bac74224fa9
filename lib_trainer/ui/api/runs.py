"""Runs: starting, following, asking things of them, and their places in the queue."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from lib_trainer.core.events import Stopped
from lib_trainer.core.run_directory import Request as Wish
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.ui import removal
from lib_trainer.ui.projects import Project
from lib_trainer.ui.queue import Entry, Move
from lib_trainer.ui.runs import WORKING, log_tail, raw_events
from lib_trainer.ui.web import Refused, Reply, Request, as_json

if TYPE_CHECKING:
    from lib_trainer.ui.server import Server

MOST_EVENTS = 2000


def runs(server: Server, request: Request) -> Reply:
    """The runs of a project, newest first."""
    return as_json({"runs": server.listed(server.project(request.parts["project"]))})


def create(server: Server, request: Request) -> Reply:
    """Make a run and let it work, at once or when its turn comes."""
    project = server.project(request.parts["project"])
    step, config = request.told("step", str), request.told("config", dict)
    made = server.start_run(project, step, config, request.told("first", bool, False))
    return as_json(server.summary(project, made))


def run(server: Server, request: Request) -> Reply:
    """A run with its configuration and the end of its log."""
    project, found = _found(server, request)
    told = server.summary(project, found)
    config = found.job()[1] if found.job_file.is_file() else {}
    return as_json({**told, "config": config, "folder": str(found.path), "log_tail": log_tail(found)})


def events(server: Server, request: Request) -> Reply:
    """What a run has said since an offset; the state is asked first, so that an ended run has told all."""
    project, found = _found(server, request)
    told = server.summary(project, found)
    said, reached = raw_events(found, request.number("after", 0), MOST_EVENTS)
    return as_json({"events": said, "next": reached, "state": told["state"], "run": told})


def stop(server: Server, request: Request) -> Reply:
    """Ask a run to stop after what it does just now."""
    project, found = _at_work(server, request)
    server.conductor.stop(found)
    return as_json(server.summary(project, found))


def save(server: Server, request: Request) -> Reply:
    """Ask a training to save its network now."""
    return _wish(server, request, "save")


def sample(server: Server, request: Request) -> Reply:
    """Ask a training to draw its previews now."""
    return _wish(server, request, "sample")


def resume(server: Server, request: Request) -> Reply:
    """Put a run that did not finish back into the queue."""
    project, found = _there(server, request)
    told = server.summary(project, found)
    if not told["resumable"]:
        raise Refused(f"{found.path.name} is {told['state']}; only what was broken off can go on.", 409)
    server.check_engine(*found.job())
    server.put_to_work(project, found)
    return as_json(server.summary(project, found))


def cancel(server: Server, request: Request) -> Reply:
    """Take a run out of the queue."""
    project, found = _there(server, request)
    if not server.conductor.cancel(_entry(project, found), found):
        raise Refused(_not_waiting(server, project, found), 409)
    if not server.summaries.told(found).ending:
        found.append(Stopped())
    return as_json(server.summary(project, found))


def first(server: Server, request: Request) -> Reply:
    """Put a run at the beginning of the queue."""
    return _move(server, request, "first")


def last(server: Server, request: Request) -> Reply:
    """Put a run at the end of the queue."""
    return _move(server, request, "last")


def up(server: Server, request: Request) -> Reply:
    """Let a run swap places with the one before it."""
    return _move(server, request, "up")


def down(server: Server, request: Request) -> Reply:
    """Let a run swap places with the one behind it."""
    return _move(server, request, "down")


def delete(server: Server, request: Request) -> Reply:
    """Move a run into the bin, its networks too if asked."""
    project, found = _there(server, request)
    gone, place = removal.delete(server, project, found, request.told("files", bool, False))
    return as_json(removal.as_data(gone, place))


def undelete(server: Server, request: Request) -> Reply:
    """Bring a run back from the bin."""
    project = server.project(request.parts["project"])
    found = removal.undelete(server, project, request.parts["run"], Path(request.told("bin", str)))
    return as_json(server.summary(project, found))


def _there(server: Server, request: Request) -> tuple[Project, RunDirectory]:
    project = server.project(request.parts["project"])
    return project, project.run(request.parts["run"])


def _found(server: Server, request: Request) -> tuple[Project, RunDirectory]:
    """The run that is asked for, also one that vanished while we looked."""
    project = server.project(request.parts["project"])
    gone = [run for run in server.summaries.gone(project) if run.path.name == request.parts["run"]]
    return project, gone[0] if gone else project.run(request.parts["run"])


def _at_work(server: Server, request: Request) -> tuple[Project, RunDirectory]:
    project, found = _there(server, request)
    state = server.summary(project, found)["state"]
    if state not in WORKING:
        raise Refused(f"{found.path.name} is {state}; nobody works on it.", 409)
    return project, found


def _wish(server: Server, request: Request, wish: Wish) -> Reply:
    project, found = _at_work(server, request)
    if server.summaries.told(found).step != "train":
        raise Refused(f"{found.path.name} is no training; there is nothing to {wish}.", 409)
    found.request(wish)
    return as_json(server.summary(project, found))


def _move(server: Server, request: Request, where: Move) -> Reply:
    project, found = _there(server, request)
    if not server.queue.move(_entry(project, found), where):
        raise Refused(_not_waiting(server, project, found), 409)
    return as_json(server.summary(project, found))


def _not_waiting(server: Server, project: Project, run: RunDirectory) -> str:
    return f"{run.path.name} is {cast(str, server.summary(project, run)['state'])} and does not wait in the queue."


def _entry(project: Project, run: RunDirectory) -> Entry:
    return Entry(project.name, run.path.name)
