"""Every complaint about a configuration before it is started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lib_trainer.core.configs import dump
from lib_trainer.ui.checks import as_data, read_config
from lib_trainer.ui.web import Reply, Request, as_json

if TYPE_CHECKING:
    from lib_trainer.ui.server import Server


def check(server: Server, request: Request) -> Reply:
    """The complaints, or the whole configuration as it would be started."""
    step, config = request.told("step", str), request.told("config", dict)
    reading = read_config(server, step, config, server.home / "projects" / "comparison")
    plain = None if reading.complaints else dump(reading.config)
    if plain is not None and step == "compare" and not config.get("output"):
        plain["output"] = None  # each run has a folder of its own
    return as_json({"complaints": as_data(reading.complaints), "config": plain})
