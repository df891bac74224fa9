"""The models of captioners, here and to be downloaded, and what they wrote."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from lib_trainer.images.captioners.caption_files import Results
from lib_trainer.images.captioners.found_models import own_folder
from lib_trainer.images.captioners.model_list import listed_models
from lib_trainer.images.captioners.webui import DESCRIBE, TAG
from lib_trainer.ui.web import Reply, Request, as_json

if TYPE_CHECKING:
    from lib_trainer.ui.server import Server

MOST_LINES = 20_000
# By what a host can be asked for; these need no model of ours.
HOSTED = {
    DESCRIBE: {"name": "Interrogate CLIP", "kind": "webui", "said": "short sentences, by the WebUI itself"},
    TAG: {"name": "Interrogate DeepBooru", "kind": "webui deepbooru", "said": "older tags, by the WebUI itself"},
}


def captioners(server: Server, request: Request) -> Reply:
    """The models as `listed_models` tells them, what the host has of its own, and the folder for downloads."""
    del request
    offered = server.host.interrogators()
    hosted = [{**told, "hosted": True} for what, told in HOSTED.items() if what in offered]
    return as_json({"models": listed_models(), "hosted": hosted, "folder": str(own_folder())})


def captioned(server: Server, request: Request) -> Reply:
    """What became of each picture of a run of `caption` so far: its new caption, or why there is none."""
    run = server.project(request.parts["project"]).run(request.parts["run"])
    shown = ("file", "did", "after", "why")
    lines = [{name: asdict(result)[name] for name in shown} for result in Results.of(run).known.values()]
    return as_json({"lines": lines[:MOST_LINES], "all": len(lines)})
