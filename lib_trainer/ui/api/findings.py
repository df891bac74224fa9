"""The doctor's findings, as the step `check` left them in its run's folder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lib_trainer.ui.web import Refused, Reply, Request, as_json

if TYPE_CHECKING:
    from lib_trainer.ui.server import Server

FINDINGS_FILE = "findings.json"


def findings(server: Server, request: Request) -> Reply:
    """What a check found, the worst first."""
    run = server.project(request.parts["project"]).run(request.parts["run"])
    file = run.path / FINDINGS_FILE
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise Refused("The folder has not been checked yet; wait for the end, or start again.", 409) from error
    except (OSError, ValueError) as error:
        raise Refused(f"{file} can't be read ({error}); check the folder again.", 500) from error
    return as_json({"findings": found})
