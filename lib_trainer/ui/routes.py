"""Every address that the page and scripts may ask, and the function that answers it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from lib_trainer.ui.web import Refused, Reply, Request

if TYPE_CHECKING:
    from lib_trainer.ui.server import Server

Handler = Callable[["Server", Request], Reply]

# (method, pattern) -> "module:function"; a {name} in a pattern stands for one part of the path. An upload's body is no
# JSON but the file itself.
UPLOAD = "/trainer/api/projects/{project}/upload"
ROUTES: dict[tuple[str, str], str] = {
    ("GET", "/trainer/page/{name}"): "lib_trainer.ui.api.page_files:page_file",
    ("GET", "/trainer/api/about"): "lib_trainer.ui.api.about:about",
    ("GET", "/trainer/api/now"): "lib_trainer.ui.api.now:now",
    ("POST", "/trainer/api/demo"): "lib_trainer.ui.api.demo:demo",
    ("GET", "/trainer/api/checkpoints"): "lib_trainer.ui.api.checkpoints:checkpoints",
    ("GET", "/trainer/api/folders"): "lib_trainer.ui.api.folders:browse",
    ("GET", "/trainer/api/promptlog"): "lib_trainer.ui.api.promptlog:columns",
    ("POST", "/trainer/api/check"): "lib_trainer.ui.api.check:check",
    ("POST", "/trainer/api/setup"): "lib_trainer.ui.api.setup:begin",
    ("POST", "/trainer/api/setup/stop"): "lib_trainer.ui.api.setup:stop",
    ("GET", "/trainer/api/setup/events"): "lib_trainer.ui.api.setup:events",
    ("GET", "/trainer/api/projects"): "lib_trainer.ui.api.projects:projects",
    ("POST", "/trainer/api/projects"): "lib_trainer.ui.api.projects:create",
    ("DELETE", "/trainer/api/projects/{project}"): "lib_trainer.ui.api.projects:delete",
    ("GET", "/trainer/api/projects/{project}/form"): "lib_trainer.ui.api.projects:form",
    ("PUT", "/trainer/api/projects/{project}/form"): "lib_trainer.ui.api.projects:keep_form",
    ("GET", "/trainer/api/projects/{project}/presets"): "lib_trainer.ui.api.presets:presets",
    ("GET", "/trainer/api/projects/{project}/presets/{step}/{name}"): "lib_trainer.ui.api.presets:preset",
    ("PUT", "/trainer/api/projects/{project}/presets/{step}/{name}"): "lib_trainer.ui.api.presets:keep",
    ("DELETE", "/trainer/api/projects/{project}/presets/{step}/{name}"): "lib_trainer.ui.api.presets:delete",
    ("POST", "/trainer/api/projects/{project}/recipe"): "lib_trainer.ui.api.presets:recipe",
    ("GET", "/trainer/api/projects/{project}/bin"): "lib_trainer.ui.api.bin:binned_pictures",
    ("POST", "/trainer/api/projects/{project}/bin"): "lib_trainer.ui.api.bin:move",
    ("POST", "/trainer/api/projects/{project}/bin/restore"): "lib_trainer.ui.api.bin:bring_back",
    ("POST", UPLOAD): "lib_trainer.ui.api.uploads:upload",
    ("POST", "/trainer/api/projects/{project}/choose"): "lib_trainer.ui.api.choose:choose",
    ("GET", "/trainer/api/projects/{project}/chosen"): "lib_trainer.ui.api.choose:chosen",
    ("POST", "/trainer/api/projects/{project}/compare/plan"): "lib_trainer.ui.api.compare:plan",
    ("GET", "/trainer/api/projects/{project}/runs"): "lib_trainer.ui.api.runs:runs",
    ("POST", "/trainer/api/projects/{project}/runs"): "lib_trainer.ui.api.runs:create",
    ("GET", "/trainer/api/projects/{project}/runs/{run}"): "lib_trainer.ui.api.runs:run",
    ("GET", "/trainer/api/projects/{project}/runs/{run}/events"): "lib_trainer.ui.api.runs:events",
    ("POST", "/trainer/api/projects/{project}/runs/{run}/stop"): "lib_trainer.ui.api.runs:stop",
    ("POST", "/trainer/api/projects/{project}/runs/{run}/save"): "lib_trainer.ui.api.runs:save",
    ("POST", "/trainer/api/projects/{project}/runs/{run}/sample"): "lib_trainer.ui.api.runs:sample",
    ("POST", "/trainer/api/projects/{project}/runs/{run}/resume"): "lib_trainer.ui.api.runs:resume",
    ("POST", "/trainer/api/projects/{project}/runs/{run}/cancel"): "lib_trainer.ui.api.runs:cancel",
    ("POST", "/trainer/api/projects/{project}/runs/{run}/first"): "lib_trainer.ui.api.runs:first",
    ("POST", "/trainer/api/projects/{project}/runs/{run}/last"): "lib_trainer.ui.api.runs:last",
    ("POST", "/trainer/api/projects/{project}/runs/{run}/up"): "lib_trainer.ui.api.runs:up",
    ("POST", "/trainer/api/projects/{project}/runs/{run}/down"): "lib_trainer.ui.api.runs:down",
    ("POST", "/trainer/api/projects/{project}/runs/{run}/delete"): "lib_trainer.ui.api.runs:delete",
    ("POST", "/trainer/api/projects/{project}/runs/{run}/undelete"): "lib_trainer.ui.api.runs:undelete",
    ("GET", "/trainer/api/projects/{project}/runs/{run}/goes"): "lib_trainer.ui.api.files:goes",
    ("GET", "/trainer/api/projects/{project}/runs/{run}/file"): "lib_trainer.ui.api.files:file",
    ("GET", "/trainer/api/projects/{project}/runs/{run}/shown"): "lib_trainer.ui.api.files:shown",
    ("GET", "/trainer/api/projects/{project}/runs/{run}/pictures"): "lib_trainer.ui.api.pictures:pictures",
    ("GET", "/trainer/api/projects/{project}/runs/{run}/names"): "lib_trainer.ui.api.pictures:names",
    ("GET", "/trainer/api/projects/{project}/runs/{run}/duplicates"): "lib_trainer.ui.api.duplicates:duplicates",
    ("GET", "/trainer/api/projects/{project}/runs/{run}/findings"): "lib_trainer.ui.api.findings:findings",
    ("GET", "/trainer/api/projects/{project}/runs/{run}/thumb"): "lib_trainer.ui.api.pictures:thumb",
    ("POST", "/trainer/api/projects/{project}/runs/{run}/caption"): "lib_trainer.ui.api.pictures:caption",
    ("POST", "/trainer/api/projects/{project}/runs/{run}/caption/undo"): "lib_trainer.ui.api.pictures:undo_caption",
    ("GET", "/trainer/api/projects/{project}/runs/{run}/original"): "lib_trainer.ui.api.crops:original",
    ("GET", "/trainer/api/projects/{project}/runs/{run}/shapes"): "lib_trainer.ui.api.crops:shapes",
    ("POST", "/trainer/api/projects/{project}/runs/{run}/box"): "lib_trainer.ui.api.crops:box",
    ("POST", "/trainer/api/projects/{project}/runs/{run}/take-back"): "lib_trainer.ui.api.crops:take_back",
    ("GET", "/trainer/api/captioners"): "lib_trainer.ui.api.captioners:captioners",
    ("GET", "/trainer/api/projects/{project}/runs/{run}/captioned"): "lib_trainer.ui.api.captioners:captioned",
    ("GET", "/trainer/api/caption-rules"): "lib_trainer.ui.api.captions:rules",
    ("GET", "/trainer/api/projects/{project}/runs/{run}/captions"): "lib_trainer.ui.api.captions:state",
    ("POST", "/trainer/api/projects/{project}/runs/{run}/captions/search"): "lib_trainer.ui.api.captions:search",
    ("POST", "/trainer/api/projects/{project}/runs/{run}/captions/tags"): "lib_trainer.ui.api.captions:tags",
    ("POST", "/trainer/api/projects/{project}/runs/{run}/captions/tokens"): "lib_trainer.ui.api.captions:tokens",
    ("POST", "/trainer/api/projects/{project}/runs/{run}/captions/spelling"): "lib_trainer.ui.api.captions:spelling",
    ("POST", "/trainer/api/projects/{project}/runs/{run}/captions/preview"): "lib_trainer.ui.api.captions:preview",
    ("POST", "/trainer/api/projects/{project}/runs/{run}/captions/apply"): "lib_trainer.ui.api.captions:apply",
    ("POST", "/trainer/api/projects/{project}/runs/{run}/captions/undo"): "lib_trainer.ui.api.captions:undo",
    ("POST", "/trainer/api/projects/{project}/runs/{run}/captions/redo"): "lib_trainer.ui.api.captions:redo",
}


def find(method: str, path: str) -> tuple[Handler, dict[str, str]]:
    """The function that answers a request, and what stands for the pattern's names in its path.

    Raises:
        Refused: nothing answers at this path (404), or not by this method (405).
    """
    methods: list[str] = []
    for (known, pattern), target in ROUTES.items():
        parts = matched(pattern, path)
        if parts is not None and known == method:
            return resolve(target), parts
        if parts is not None:
            methods.append(known)
    if methods:
        raise Refused(f"{path} answers {' and '.join(methods)}, not {method}.", 405)
    raise Refused(f"There is nothing at {path}.", 404)


def matched(pattern: str, path: str) -> dict[str, str] | None:
    """What stands for the {names} of a pattern in a path; None where it does not fit."""
    wanted, given = pattern.split("/"), path.split("/")
    if len(wanted) != len(given):
        return None
    parts = {}
    for want, have in zip(wanted, given, strict=True):
        if want.startswith("{") and have:
            parts[want[1:-1]] = have
        elif want != have:
            return None
    return parts


def resolve(target: str) -> Handler:
    """The function behind `module:function`; its module is imported when it is first asked."""
    module, _, function = target.partition(":")
    return getattr(importlib.import_module(module), function)  # type: ignore[no-any-return]
