"""The models of captioners, here and to be downloaded, and what they wrote."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from lib_trainer.images.captioners.caption_files import Results
from lib_trainer.images.captioners.found_models import own_folder
from lib_trainer.images.captioners.model_list import listed_models
from lib_trainer.ui.web import Reply, Request, as_json

if TYPE_CHECKING:
    from lib_trainer.ui.server import Server

MOST_LINES = 20_000


def captioners(server: Server, request: Request) -> Reply:
    """The models as `listed_models` tells them, and the folder for downloads."""
    del server, request
    return as_json({"models": listed_models(), "folder": str(own_folder())})


def captioned(server: Server, request: Request) -> Reply:
    """What became of each picture of a run of `caption` so far: its new caption, or why there is none."""
    run = server.project(request.parts["project"]).run(request.parts["run"])
    shown = ("file", "did", "after", "why")
    lines = [{name: asdict(result)[name] for name in shown} for result in Results.of(run).known.values()]
    return as_json({"lines": lines[:MOST_LINES], "all": len(lines)})
