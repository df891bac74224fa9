"""Presets: the shipped ones, the user's own, and recipes that are dragged onto the page."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_trainer.core.complaints import Complaint, complaints
from lib_trainer.core.configs import read_recipe
from lib_trainer.core.errors import ConfigError, OutputError
from lib_trainer.presets import preset_names, read_preset
from lib_trainer.steps import STEPS, step_named
from lib_trainer.ui.access import plain_name
from lib_trainer.ui.checks import as_data
from lib_trainer.ui.projects import Project, write_json
from lib_trainer.ui.web import Refused, Reply, Request, as_json

if TYPE_CHECKING:
    from lib_trainer.ui.server import Server

ENDINGS = (".json", ".toml")
RECIPE_STEPS = ("train", "compare", "prepare")  # of which the page has forms


def presets(server: Server, request: Request) -> Reply:
    """The presets of all steps; an own one hides the shipped one of its name."""
    project = server.project(request.parts["project"])
    listed = []
    for step in STEPS:
        own = sorted(file.stem.removeprefix(f"{step}-") for file in project.presets_folder.glob(f"{step}-*.json"))
        listed += [{"name": name, "step": step, "shipped": False} for name in own]
        listed += [{"name": name, "step": step, "shipped": True} for name in preset_names(step) if name not in own]
    return as_json({"presets": listed})


def preset(server: Server, request: Request) -> Reply:
    """The options that a preset sets."""
    file = _own_file(server, request)
    step, name = request.parts["step"], request.parts["name"]
    if not file.is_file() and name not in preset_names(step):
        raise Refused(f"There is no preset {name!r} for {step} (any more).", 404)
    return as_json({"config": read_recipe(file) if file.is_file() else read_preset(step, name)})


def keep(server: Server, request: Request) -> Reply:
    """Keep options as a preset of the project."""
    file = _own_file(server, request)
    write_json(file, request.told("config", dict))
    return as_json({"kept": True})


def delete(server: Server, request: Request) -> Reply:
    """Delete a preset of the project; the shipped ones stay."""
    file = _own_file(server, request)
    try:
        file.unlink()
    except FileNotFoundError as error:
        raise Refused(f"{request.parts['name']!r} is no preset of this project; shipped ones stay.", 404) from error
    except OSError as error:
        raise OutputError(f"The preset {file} can't be deleted ({error}); check the folder's rights.") from error
    return as_json({"deleted": True})


def recipe(server: Server, request: Request) -> Reply:
    """The step and the options of a recipe file's text, for the form; what the form can't take is refused."""
    server.project(request.parts["project"])
    data = _parsed(request.told("text", str), plain_name(request.told("file_name", str), "The recipe's file name"))
    step, config = _step_of(data)
    if found := _wrong(step, config):
        raise Refused(found[0].message, 422, as_data(found))
    return as_json({"step": step, "config": config})


def _own_file(server: Server, request: Request) -> Path:
    project: Project = server.project(request.parts["project"])
    step = request.parts["step"]
    step_named(step)
    return project.presets_folder / f"{step}-{plain_name(request.parts['name'], 'The preset name')}.json"


def _parsed(text: str, name: str) -> dict[str, Any]:
    """The recipe as `read_recipe` reads it."""
    if Path(name).suffix.lower() not in ENDINGS:
        raise Refused(f"{name} is no recipe; drag in a .json or .toml file.", 415)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        file.write_text(text, encoding="utf-8")
        try:
            return read_recipe(file)
        except ConfigError as error:
            raise ConfigError(str(error).replace(str(file), name)) from error


def _step_of(data: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A run's job names its step; a bare recipe belongs to the step whose options fit best."""
    if set(data) == {"step", "config"} and isinstance(data["config"], dict):
        return step_named(str(data["step"])).recipes or str(data["step"]), data["config"]
    return min(RECIPE_STEPS, key=lambda step: len(_wrong(step, data))), data


def _wrong(step: str, config: dict[str, Any]) -> list[Complaint]:
    """The complaints about what a recipe says; what it leaves open the user fills in."""
    return [complaint for complaint in complaints(step_named(step).options, config) if not complaint.is_missing]
