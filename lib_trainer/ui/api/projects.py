"""Projects and what the page keeps of their forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lib_trainer.ui.projects import all_projects, make_project, read_json, write_json
from lib_trainer.ui.removal import delete_project
from lib_trainer.ui.web import Reply, Request, as_json

if TYPE_CHECKING:
    from lib_trainer.ui.server import Server


def projects(server: Server, request: Request) -> Reply:
    """All projects by their names."""
    del request
    listed = [{"name": project.name, "runs": server.count(project)} for project in all_projects(server.home)]
    return as_json({"projects": listed})


def create(server: Server, request: Request) -> Reply:
    """Make a project."""
    project = make_project(server.home, request.told("name", str))
    return as_json({"name": project.name, "runs": 0})


def delete(server: Server, request: Request) -> Reply:
    """Move a project without runs into the bin."""
    place = delete_project(server, server.project(request.parts["project"]))
    return as_json({"bin": str(place)})


def form(server: Server, request: Request) -> Reply:
    """The form as it was kept last."""
    kept = read_json(server.project(request.parts["project"]).form_file)
    return as_json({"form": kept if isinstance(kept, dict) else {}})


def keep_form(server: Server, request: Request) -> Reply:
    """Keep the form as it is now."""
    write_json(server.project(request.parts["project"]).form_file, request.told("form", dict))
    return as_json({"kept": True})
