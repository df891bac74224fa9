"""The groups of duplicates, as the step `duplicates` left them in its run's folder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.ui.web import Refused, Reply, Request, as_json

if TYPE_CHECKING:
    from lib_trainer.ui.server import Server

REPORT_FILE = "duplicates.json"
PAGE = 30
MOST = 200


def duplicates(server: Server, request: Request) -> Reply:
    """Some of the groups, and how many there are; thumbs are told with their full paths."""
    run = server.project(request.parts["project"]).run(request.parts["run"])
    told = _read(run)
    first, count = request.number("from", 0), min(request.number("count", PAGE), MOST)
    groups = [_with_thumbs(group, run) for group in told["groups"][first : first + count]]
    return as_json({"folder": told["folder"], "total": len(told["groups"]), "groups": groups})


def _read(run: RunDirectory) -> dict[str, Any]:
    file = run.path / REPORT_FILE
    try:
        told: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return {"folder": told["folder"], "groups": list(told["groups"])}
    except FileNotFoundError as error:
        raise Refused("The folder has not been searched yet; wait for the end, or start again.", 409) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Refused(f"{file} can't be read ({error}); search the folder again.", 500) from error


def _with_thumbs(group: dict[str, Any], run: RunDirectory) -> dict[str, Any]:
    pictures = [
        {**each, "thumb": str(run.path / each["thumb"]) if each["thumb"] else ""} for each in group["pictures"]
    ]
    return {**group, "pictures": pictures}
