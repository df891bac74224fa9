"""The demo's settings, ready to be filled into the forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lib_trainer.core.configs import merge, read_recipe
from lib_trainer.demo.places import HELD_OUT, STYLE, recipe
from lib_trainer.ui.web import Reply, Request, as_json

if TYPE_CHECKING:
    from lib_trainer.ui.server import Server

PAGE = "page"


def demo(server: Server, request: Request) -> Reply:
    """A config of train, one of prepare ("pictures") and a part of one of compare; lends the host the model first."""
    del request
    model = str(server.host.lend_demo())
    told: dict[str, Any] = {"model": model, "dataset": {"folder": str(STYLE)}, "validation": {"folder": str(HELD_OUT)}}
    if server.host.name != PAGE:
        told["saving"] = {"layer_names": "original"}  # the WebUI counts on Stable Diffusion 1's layers otherwise
    compare = merge(read_recipe(recipe("compare")), {"model": model})
    train = merge(read_recipe(recipe("train")), told)
    pictures = merge(read_recipe(recipe("prepare")), {"folder": str(STYLE)})
    return as_json({"train": train, "compare": compare, "pictures": pictures})
