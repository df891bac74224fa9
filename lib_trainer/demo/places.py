"""What ships for the demo: a small model, pictures, and a recipe for each step."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent
MODEL = HERE / "model" / "emoji-tiny.safetensors"
PICTURES = HERE / "pictures"
STYLE = PICTURES / "openmoji-style"
HELD_OUT = PICTURES / "openmoji-held-out"


def recipe(step: str) -> Path:
    """The file with the demo's options of a step."""
    return HERE / f"{step}.json"
