"""What the page needs once: the options of all steps, the presets, and where it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lib_trainer import __version__
from lib_trainer.jobs.environment import EnvironmentOptions
from lib_trainer.presets import preset_names
from lib_trainer.steps import STEPS, Step
from lib_trainer.ui.schema import schema
from lib_trainer.ui.web import Reply, Request, as_json

if TYPE_CHECKING:
    from lib_trainer.ui.server import Server

POLL_SECONDS = 1.0


def about(server: Server, request: Request) -> Reply:
    """The steps with their options, and the host."""
    host = server.host
    told: dict[str, Any] = {
        "version": __version__,
        "host": host.name,
        "hostVersion": host.version,
        "user": request.user,
        "poll_seconds": POLL_SECONDS,
        "listens": host.listens,
        "steps": {name: _step(step) for name, step in STEPS.items()},
        "engine_options": schema(EnvironmentOptions),
        "engine_python": str(host.python) if host.python else None,
        "presets": {step: [{"name": name, "shipped": True} for name in preset_names(step)] for step in STEPS},
    }
    return as_json(told)


def _step(step: Step) -> dict[str, Any]:
    return {"help": step.help, "options": schema(step.options)}
