"""Projects: a folder each, with its form, presets, pictures and runs."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_trainer.core.errors import OutputError
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.core.whole_files import write_text
from lib_trainer.ui.web import Refused

FIRST = "first"
COMMAND_LINE = "command-line"
NAME = re.compile(r"\w(?:[\w -]{0,58}[\w-])?")
RUN_ID = re.compile(r"\w[\w .-]{0,119}")
# Windows takes these for devices, whatever folder they stand in.
DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)")


@dataclass(frozen=True)
class Project:
    """One project; `runs_folder` lies in `folder`, except that of the command line."""

    name: str
    folder: Path
    runs_folder: Path

    def run(self, run_id: str) -> RunDirectory:
        """The run of that id.

        Raises:
            Refused: there is none (404).
        """
        if not RUN_ID.fullmatch(run_id):
            raise Refused(f"{run_id!r} is no name of a run.", 404)
        run = RunDirectory(self.runs_folder / run_id)
        if not run.job_file.is_file():
            raise Refused(f"The project {self.name!r} has no run {run_id!r} (any more).", 404)
        return run

    def runs(self) -> list[RunDirectory]:
        """All runs that lie here, in no order."""
        try:
            folders = [path for path in self.runs_folder.iterdir() if RUN_ID.fullmatch(path.name)]
        except OSError:
            return []
        return [RunDirectory(path) for path in folders if (path / "job.json").is_file()]

    @property
    def form_file(self) -> Path:
        """What the page keeps of the form."""
        return self.folder / "form.json"

    @property
    def presets_folder(self) -> Path:
        """The user's own presets, `STEP-NAME.json`."""
        return self.folder / "presets"

    @property
    def pictures_folder(self) -> Path:
        """Folders of uploaded pictures."""
        return self.folder / "pictures"

    @property
    def archives_folder(self) -> Path:
        """Uploaded archives and tables, from which pictures are brought in."""
        return self.folder / "archives"

    @property
    def comparisons_folder(self) -> Path:
        """A folder of cells and a grid for each comparison."""
        return self.folder / "comparisons"

    def chosen(self) -> dict[str, Any]:
        """What the user chose of each run: run id -> {"network", "strength", "phrase"}."""
        kept = read_json(self.folder / "chosen.json")
        return kept if isinstance(kept, dict) else {}

    def choose(self, run_id: str, chosen: dict[str, Any]) -> None:
        """Note what the user chose of a run.

        Raises:
            OutputError: the note can't be written.
        """
        write_json(self.folder / "chosen.json", {**self.chosen(), run_id: chosen})


def all_projects(home: Path) -> list[Project]:
    """The projects of a data folder by their names, that of the command line last if it has runs."""
    try:
        names = [path.name for path in (home / "projects").iterdir() if path.is_dir() and NAME.fullmatch(path.name)]
    except OSError:
        names = []
    projects = [project_at(home, name) for name in sorted(names, key=str.casefold) if name != COMMAND_LINE]
    command_line = project_at(home, COMMAND_LINE)
    return (projects or [project_at(home, FIRST)]) + ([command_line] if command_line.runs() else [])


def project_at(home: Path, name: str) -> Project:
    """The project of that name, there or not."""
    folder = home / "projects" / name
    return Project(name, folder, home / "runs" if name == COMMAND_LINE else folder / "runs")


def find_project(home: Path, name: str) -> Project:
    """The project of that name; the first one and the command line's need no folder to be there.

    Raises:
        Refused: there is none (404).
    """
    project = project_at(home, name) if NAME.fullmatch(name) else None
    if project is None or not (name in (FIRST, COMMAND_LINE) or project.folder.is_dir()):
        raise Refused(f"There is no project {name!r}.", 404)
    return project


def make_project(home: Path, name: str) -> Project:
    """A new project.

    Raises:
        Refused: the name can't be a project's (400), or is taken (409).
        OutputError: its folder can't be made.
    """
    if not NAME.fullmatch(name) or DEVICES.fullmatch(name):
        said = "a project's name has 1 to 60 letters, digits, spaces, - and _, and no space at its ends"
        raise Refused(f"{name!r} can't be a project's name: {said}. Choose another.")
    # Some disks take `Cats` and `cats` for one folder.
    taken = [project.name for project in all_projects(home) if project.name.casefold() == name.casefold()]
    if taken or name.casefold() == COMMAND_LINE:
        raise Refused(f"There is a project {(taken or [COMMAND_LINE])[0]!r} already; choose another name.", 409)
    project = project_at(home, name)
    try:
        project.folder.mkdir(parents=True)
    except OSError as error:
        raise OutputError(f"The project's folder {project.folder} can't be made ({error}).") from error
    return project


def read_json(file: Path) -> Any:
    """What a JSON file of ours holds; None where it is missing or can't be read."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def write_json(file: Path, data: Any) -> None:
    """Write plain data as a whole file.

    Raises:
        OutputError: the disk refuses.
    """
    try:
        write_text(file, json.dumps(data, indent=2, ensure_ascii=False))
    except OSError as error:
        raise OutputError(f"{file} can't be written ({error}); make room, or check the folder's rights.") from error
