"""The options of the demo."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lib_trainer.core.options import option


@dataclass(frozen=True)
class DemoOptions:
    """Teach the shipped emoji model a new style, from pictures to a LoRA and a grid of its epochs."""

    out: Path | None = option(None, "Folder for everything the demo makes; empty means 'demo' in the trainer's data.")
