"""The set-up of the engine, from a button of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lib_trainer.jobs.environment import EnvironmentOptions
from lib_trainer.ui.checks import examined, refuse
from lib_trainer.ui.runs import raw_events
from lib_trainer.ui.web import Refused, Reply, Request, as_json

if TYPE_CHECKING:
    from lib_trainer.ui.server import Server

MOST_EVENTS = 2000
# They name a program to be run, or where one is fetched from.
POWERFUL = ("python", "wheels", "torch_index", "package_index")


def begin(server: Server, request: Request) -> Reply:
    """Start the set-up with EnvironmentOptions."""
    given = request.told("options", dict, {})
    named = [name for name in POWERFUL if given.get(name)]
    if named and not server.host.any_folder:
        said = f"'{named[0]}' can't be given here, because others can reach this page"
        raise Refused(f"{said}; use `python3 -m lib_trainer setup` on the computer itself.", 403)
    reading = examined(server, EnvironmentOptions, given)
    refuse(reading)
    server.engine.begin_setup(reading.config)
    return as_json({"started": True})


def stop(server: Server, request: Request) -> Reply:
    """Stop the set-up; nothing half-done is used."""
    del request
    server.engine.stop_setup()
    return as_json({"stopping": True})


def events(server: Server, request: Request) -> Reply:
    """What the last set-up has said since an offset."""
    state = server.engine.setup_state()  # asked before reading, so that an ended one has told all
    found, reached = raw_events(server.engine.directory, request.number("after", 0), MOST_EVENTS)
    return as_json({"events": found, "next": reached, "state": state})
