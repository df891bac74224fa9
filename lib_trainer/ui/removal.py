"""Deleting runs: nothing is destroyed, it is moved into the bin, from where it can come back."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_trainer.core.errors import OutputError
from lib_trainer.core.outputs import beside
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.ui.projects import Project, read_json, write_json
from lib_trainer.ui.queue import Entry
from lib_trainer.ui.runs import WORKING
from lib_trainer.ui.web import Refused

if TYPE_CHECKING:
    from lib_trainer.ui.server import Server

COMPANIONS = (".json", ".preview.png")  # what a training writes beside a finished file
OF_CHECKPOINTS = (".yaml",)  # and beside a checkpoint
MOVED = "moved.json"
KEPT_ANSWERS = 5


def networks_of(server: Server, run: RunDirectory) -> list[Path]:
    """The networks that a run has saved and what it wrote beside them, as far as they are still there."""
    told = server.summaries.told(run)
    saved = [Path(path) for path in told.networks]
    endings = COMPANIONS + (OF_CHECKPOINTS if told.output == "checkpoint" else ())
    companions = [beside(path, ending) for path in saved for ending in endings]
    return [path for path in [*saved, *companions] if path.exists()]


def delete(server: Server, project: Project, run: RunDirectory, files: bool) -> tuple[list[Path], Path]:
    """Move a run into the bin, and its networks too if `files` says so; what was moved, and its place in the bin.

    Raises:
        Refused: the run is being worked on (409).
        OutputError: something can't be moved; nothing has been then.
    """
    if server.state(run) in WORKING:
        raise Refused(f"{run.path.name} is being worked on; stop it first.", 409)
    server.queue.remove(Entry(project.name, run.path.name))
    goes = [run.path, *(networks_of(server, run) if files else [])]
    place = _free(server.home / "bin" / f"{time.strftime('%Y%m%d-%H%M%S')}-{run.path.name}")
    moves = [(path, place / f"{number:04d}-{path.name}") for number, path in enumerate(goes)]
    plain = [{"from": str(source), "to": target.name} for source, target in moves]
    write_json(place / MOVED, {"project": project.name, "run": run.path.name, "moved": plain})
    _move_all(moves)
    server.summaries.forget(run)
    return goes, place


def undelete(server: Server, project: Project, run_id: str, place: Path) -> RunDirectory:
    """Bring a run back from its place in the bin, with all that went with it.

    Raises:
        Refused: this run does not lie there (404), or something has taken its old place (409).
        OutputError: something can't be moved; nothing has been then.
    """
    told = read_json(place / MOVED) if place.absolute().parent == server.home / "bin" else None
    if not isinstance(told, dict) or (told.get("project"), told.get("run")) != (project.name, run_id):
        raise Refused(f"The run {run_id!r} of the project {project.name!r} does not lie in {place} (any more).", 404)
    moves = [(place / move["to"], Path(move["from"])) for move in told["moved"]]
    taken = [target for _, target in moves if target.exists()]
    if taken:
        raise Refused(f"{taken[0]} is there again; move it away, then bring the run back.", 409)
    _move_all(moves)
    (place / MOVED).unlink()
    place.rmdir()
    return project.run(run_id)


def delete_project(server: Server, project: Project) -> Path:
    """Move a project without runs into the bin; its place there.

    Raises:
        Refused: it has runs (409).
        OutputError: it can't be moved.
    """
    if count := server.count(project):
        raise Refused(f"The project {project.name!r} has {count} runs; delete those first.", 409)
    if any(server.state(run) in WORKING for run in project.runs()):
        raise Refused(f"Something works on the project {project.name!r}; wait until it is done.", 409)
    place = _free(server.home / "bin" / f"{time.strftime('%Y%m%d-%H%M%S')}-project-{project.name}")
    if project.folder.is_dir():
        _move_all([(project.folder, place)])
    return place


def prune(server: Server, project: Project, step: str) -> None:
    """Remove the oldest answers that the page asked for by a step, such as plans: nobody looks at them again."""
    told = [(run, server.summaries.told(run)) for run in project.runs()]
    answers = sorted((run.path for run, said in told if said.step == step and said.ending), reverse=True)
    for path in answers[KEPT_ANSWERS:]:
        shutil.rmtree(path, ignore_errors=True)
        server.summaries.forget(RunDirectory(path))


def _free(wished: Path) -> Path:
    path, count = wished, 1
    while path.exists():
        count += 1
        path = wished.with_name(f"{wished.name}-{count}")
    return path


def _move_all(moves: list[tuple[Path, Path]]) -> None:
    """Move each first path to the second one; if one can't be moved, those before come back."""
    done: list[tuple[Path, Path]] = []
    try:
        for source, target in moves:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(str(source), str(target))
            done.append((source, target))
    except OSError as error:
        for source, target in reversed(done):
            shutil.move(str(target), str(source))
        said = f"{source} can't be moved to {target} ({error}); close what uses it"
        raise OutputError(f"{said}, or check the disk. Nothing was moved.") from error


def as_data(paths: list[Path], place: Path) -> dict[str, Any]:
    """What a deletion answers."""
    return {"deleted": [str(path) for path in paths], "bin": str(place)}
