"""Which models there are for captioners: those on this computer, and those that can be downloaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from lib_trainer.images.captioners.blip import is_blip
from lib_trainer.images.captioners.deepdanbooru import is_deepdanbooru
from lib_trainer.images.captioners.florence2 import is_florence2
from lib_trainer.images.captioners.found_models import found_models
from lib_trainer.images.captioners.known_models import KNOWN_MODELS
from lib_trainer.images.captioners.wd14 import is_wd14

# By the names in the tables of captioners.
KINDS: dict[str, Callable[[Path], bool]] = {
    "wd14": is_wd14,
    "deepdanbooru": is_deepdanbooru,
    "blip": is_blip,
    "florence2": is_florence2,
}


def listed_models() -> list[dict[str, Any]]:
    """Each model: its name, its kind, what is said of it, licence, bytes (about; 0 if not known) and `path` if here."""
    here = {kind: found_models(is_model) for kind, is_model in KINDS.items()}
    listed = [
        {"name": name, "kind": kind, "said": "", "licence": "", "bytes": 0, "path": str(path)}
        for kind, found in here.items()
        for name, path in found.items()
        if name not in KNOWN_MODELS
    ]
    for name, known in KNOWN_MODELS.items():
        path = here[known.kind].get(name)
        told = {"said": known.said, "licence": known.licence, "bytes": known.bytes}
        listed.append({"name": name, "kind": known.kind, **told, "path": str(path) if path else ""})
    return listed
