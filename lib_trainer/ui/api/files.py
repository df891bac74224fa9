"""What a run has made: its pictures, what deleting it takes, and whether the WebUI lists its networks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.ui.access import file_of_run
from lib_trainer.ui.picture_files import picture_reply
from lib_trainer.ui.removal import networks_of
from lib_trainer.ui.web import Refused, Reply, Request, as_json

if TYPE_CHECKING:
    from lib_trainer.ui.server import Server


def file(server: Server, request: Request) -> Reply:
    """A picture that the run made."""
    return picture_reply(file_of_run(_run(server, request), request.query.get("path", "")))


def goes(server: Server, request: Request) -> Reply:
    """What deleting takes: the folder of `folder_bytes`, and on demand the networks' `files`; `bytes` is all."""
    run = _run(server, request)
    files = networks_of(server, run)
    inside = _size(run.path)
    outside = sum(_bytes(path) for path in files if not path.is_relative_to(run.path))
    listed = [{"path": str(path), "bytes": _bytes(path)} for path in files]
    return as_json({"folder": str(run.path), "files": listed, "folder_bytes": inside, "bytes": inside + outside})


def shown(server: Server, request: Request) -> Reply:
    """Whether the host lists a network of this run, and if not, why."""
    text = request.query.get("path", "")
    told = server.summaries.told(_run(server, request))
    if text not in told.networks:
        raise Refused(f"{text!r} is no network of this run.", 403)
    network = Path(text)
    if not network.exists():
        return as_json({"shown": False, "why": f"{network} is not there any more; it was moved or deleted."})
    seen = server.host.refresh(network, told.output)
    return as_json({"shown": seen.shown, "why": seen.why})


def _run(server: Server, request: Request) -> RunDirectory:
    return server.project(request.parts["project"]).run(request.parts["run"])


def _size(folder: Path) -> int:
    """Bytes of all files in a folder; links count as nothing."""
    return sum(_bytes(Path(place, name)) for place, _, names in os.walk(folder) for name in names)


def _bytes(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0  # it went while we looked
