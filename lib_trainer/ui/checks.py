"""Everything that stands against a step's configuration before it is started, each beside its option."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_trainer.core.complaints import Complaint, Leaf, Reading, read_all
from lib_trainer.core.configs import dump
from lib_trainer.core.file_names import safe_name
from lib_trainer.steps import output_of, step_named
from lib_trainer.ui.web import Refused

if TYPE_CHECKING:
    from lib_trainer.ui.projects import Project
    from lib_trainer.ui.server import Server

TAKEN_FROM = {"import": "source", "promptlog": "files"}  # steps that bring pictures in, and the option that says whence


def read_config(server: Server, step: str, config: Any, output: Path) -> Reading:
    """Read a step's configuration and look at its paths; what the user left empty is filled as the host has it.

    Raises:
        ConfigError: there is no such step.
    """
    return examined(server, step_named(step).options, filled(server, step, config, output))


def examined(server: Server, options: type, config: Any) -> Reading:
    """Read plain data and see that what must exist does, and that no path lies where the host allows none."""
    reading = read_all(options, config)
    for leaf in reading.leaves:
        for path in _paths(leaf):
            # Whether something lies at a forbidden path is nobody's business.
            said = server.boundaries.objection(path) or (leaf.info.must_exist and _missing(path))
            if said:
                reading.complaints.append(Complaint(leaf.path, f"'{leaf.path}': {said}"))
    if reading.complaints:
        reading.config = None
    return reading


def checked(server: Server, step: str, config: Any, output: Path) -> dict[str, Any]:
    """The whole configuration of a step as plain data.

    Raises:
        Refused: there are complaints (422), or there is no such step.
    """
    reading = read_config(server, step, config, output)
    refuse(reading)
    return dump(reading.config)


def refuse(reading: Reading) -> None:
    """See that there are no complaints.

    Raises:
        Refused: there are; all of them go with it (422).
    """
    if not reading.complaints:
        return
    count = len(reading.complaints)
    first = reading.complaints[0].message
    raise Refused(first if count == 1 else f"{count} options need a look. {first}", 422, as_data(reading.complaints))


def as_data(complaints: list[Complaint]) -> list[dict[str, str]]:
    """Complaints as the page gets them."""
    return [{"path": complaint.path, "message": complaint.message} for complaint in complaints]


def filled(server: Server, step: str, config: Any, output: Path) -> Any:
    """The configuration with the host's folders where the user named none."""
    if not isinstance(config, dict):
        return config
    if step == "compare" and not config.get("output"):
        return {**config, "output": str(output)}
    saving = config.get("saving") or {}
    if step in ("train", "plan") and isinstance(saving, dict) and not saving.get("folder"):
        folder = server.host.folders()[output_of(config.get("trainable"))]
        return {**config, "saving": {**saving, "folder": str(folder)}}
    return config


def in_project(project: Project, step: str, config: dict[str, Any]) -> dict[str, Any]:
    """The configuration with a folder of the project for pictures that come in, where the user named none."""
    sources = config.get(TAKEN_FROM.get(step, ""))
    if config.get("output") or not isinstance(sources, list) or not sources:
        return config
    folder = project.pictures_folder / safe_name(Path(str(sources[0])).stem)
    if str(folder) in sources:
        folder = folder.with_name(f"{folder.name}-imported")
    return {**config, "output": str(folder)}


def _paths(leaf: Leaf) -> list[Path]:
    values = leaf.value if leaf.info.many and leaf.value is not None else (leaf.value,)
    return [value for value in values if isinstance(value, Path)]


def _missing(path: Path) -> str:
    try:
        return "" if path.exists() else f"{path} is not there (any more); choose another."
    except OSError as error:  # a name too long, a folder that may not be read
        return f"{path} can't be looked at ({error}); choose another."
