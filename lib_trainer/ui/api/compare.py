"""What a comparison is going to draw, and for how long, before anything is started."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from lib_trainer.comparison.options import CompareOptions
from lib_trainer.comparison.plan import Plan
from lib_trainer.comparison.plan import plan as lay_out
from lib_trainer.core.configs import load
from lib_trainer.core.errors import ConfigError, ModelError
from lib_trainer.ui.checks import checked
from lib_trainer.ui.drawing_times import expected_seconds
from lib_trainer.ui.web import Refused, Reply, Request, as_json

if TYPE_CHECKING:
    from lib_trainer.ui.server import Server


def plan(server: Server, request: Request) -> Reply:
    """The labels of rows and columns, how many pictures that makes, and the seconds if an earlier run lets us know."""
    project = server.project(request.parts["project"])
    config = checked(server, "compare", request.told("config", dict), project.comparisons_folder / "planned")
    planned = _laid_out(load(CompareOptions, config))
    told = asdict(planned.event())
    del told["time"]
    return as_json({**told, "seconds": expected_seconds(planned, project)})


def _laid_out(options: CompareOptions) -> Plan:
    try:
        return lay_out(options)
    except (ConfigError, ModelError) as error:
        raise Refused(str(error), 422, [{"path": _option(options, str(error)), "message": str(error)}]) from error


def _option(options: CompareOptions, message: str) -> str:
    """The option that a complaint is about: the one it begins with, or whose file it names; may be empty."""
    if message.startswith("'"):
        return message.split("'")[1]
    files = {"networks": options.networks, "models": options.models, "model": (options.model,)}
    return next((name for name, paths in files.items() if any(str(path) in message for path in paths)), "")
