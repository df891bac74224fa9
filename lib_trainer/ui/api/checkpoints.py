"""What there is to train on and to draw with: base models, samplers, and where finished files go."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from lib_trainer.demo.places import MODEL
from lib_trainer.models.sampler_names import SamplerName
from lib_trainer.ui.web import Reply, Request, as_json

if TYPE_CHECKING:
    from lib_trainer.ui.server import Server

DEMO_TITLE = "Demo: emoji (tiny)"


def checkpoints(server: Server, request: Request) -> Reply:
    """The host's base models and behind them the demo's, the samplers, the folders of finished files."""
    del request
    host = server.host
    listed = [{"title": known.title, "path": str(known.path)} for known in host.checkpoints()]
    return as_json(
        {
            "checkpoints": [*listed, {"title": DEMO_TITLE, "path": str(MODEL)}],
            "samplers": host.samplers() or list(get_args(SamplerName)),
            "folders": {kind: str(folder) for kind, folder in host.folders().items()},
            "loaded": host.loaded_checkpoint(),
        }
    )
