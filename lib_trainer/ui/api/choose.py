"""Choosing the network to use: noted beside its file for the WebUI, and in the project."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_trainer.core.errors import OutputError
from lib_trainer.core.outputs import OUTPUTS, Output, beside
from lib_trainer.core.whole_files import write_text
from lib_trainer.ui.access import full_path
from lib_trainer.ui.projects import Project
from lib_trainer.ui.web import Refused, Reply, Request, as_json

if TYPE_CHECKING:
    from lib_trainer.ui.server import Server

MOST_STRENGTH = 4.0
LONGEST_TEXT = 10_000


def choose(server: Server, request: Request) -> Reply:
    """Write strength and activation text into NAME.json beside the network, and note the choice of its run."""
    project = server.project(request.parts["project"])
    strength = _strength(request)
    activation = request.told("activation", str, None)
    if activation is not None and len(activation) > LONGEST_TEXT:
        raise Refused(f"'activation' has {len(activation)} letters; at most {LONGEST_TEXT} are possible.")
    text = request.told("network", str)
    network, run_id, output = _network(server, project, text)
    file = beside(network, ".json")
    notes: dict[str, Any] = {"preferred weight": strength}
    _note_beside(file, notes if activation is None else {**notes, "activation text": activation})
    phrase = OUTPUTS[output].named(network.stem, strength)
    if run_id is not None:
        project.choose(run_id, {"network": str(network), "strength": strength, "phrase": phrase})
    return as_json({"phrase": phrase, "file": str(file), "run": run_id})


def chosen(server: Server, request: Request) -> Reply:
    """What was chosen of each run of the project."""
    return as_json({"chosen": server.project(request.parts["project"]).chosen()})


def _strength(request: Request) -> float:
    given = request.told("strength", object, 1.0)
    number = float(given) if type(given) in (int, float) else math.nan
    if not -MOST_STRENGTH <= number <= MOST_STRENGTH:
        raise Refused(f"'strength' is {given!r}; it must be -4 to 4.")
    return number


def _network(server: Server, project: Project, text: str) -> tuple[Path, str | None, Output]:
    """The file of that path, which run of the project saved it, if one did, and what it is."""
    for run in project.runs():
        told = server.summaries.told(run)
        if text in told.networks:
            return _there(Path(text)), run.path.name, told.output
    path, folder = full_path(text), Path(os.path.abspath(server.host.folders()["lora"]))  # noqa: PTH100 - links are kept
    # As the WebUI lists them, which follows the links that its owner has put there.
    if not path.is_relative_to(folder) or path.suffix.lower() != ".safetensors":
        raise Refused(f"{text!r} is no network of this project, and none in {folder}.", 403)
    return _there(path), None, "lora"


def _there(network: Path) -> Path:
    if not network.exists():
        raise Refused(f"The network {network} is not there any more; it was moved or deleted.", 404)
    return network


def _note_beside(file: Path, notes: dict[str, Any]) -> None:
    """Change some entries of the WebUI's notes on a network, keeping all others."""
    try:
        known = json.loads(file.read_text(encoding="utf-8-sig")) if file.exists() else {}
    except (OSError, ValueError) as error:
        raise Refused(f"{file} can't be read ({error}), so it was left as it is; mend or move it.", 409) from error
    if not isinstance(known, dict):
        raise Refused(f"{file} is not one of the WebUI's notes on a network, so it was left; move it.", 409)
    try:
        write_text(file, json.dumps({**known, **notes}, indent=4))
    except OSError as error:
        raise OutputError(f"{file} can't be written ({error}); make room, or check the folder's rights.") from error
