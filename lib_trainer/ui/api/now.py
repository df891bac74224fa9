"""How everything stands at this moment: what the page asks each second."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lib_trainer.ui.web import Reply, Request, as_json

if TYPE_CHECKING:
    from lib_trainer.ui.server import Server


def now(server: Server, request: Request) -> Reply:
    """The engine, its set-up, what works and what waits."""
    del request
    engine, setup = server.engine.state(), server.engine.setup_state()
    is_failure = setup == "failed" and engine.status != "ready"
    return as_json(
        {
            "engine": {"status": engine.status, "message": engine.message},
            "setup": "running" if setup == "running" else "failed" if is_failure else "idle",
            "running": server.working(),
            "queue": server.waiting(),
            "holds_webui": server.host.holds,
            "notes": [*server.host.notes(), *server.conductor.notes],
        }
    )
