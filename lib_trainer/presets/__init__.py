"""Shipped recipes: files `STEP-NAME.json` beside this one, each a table of options for a step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lib_trainer.core.configs import read_recipe
from lib_trainer.core.errors import ConfigError
from lib_trainer.core.registry import did_you_mean

FOLDER = Path(__file__).parent


def preset_names(step: str) -> list[str]:
    """The presets of a step, in alphabetical order."""
    return sorted(path.stem.removeprefix(f"{step}-") for path in FOLDER.glob(f"{step}-*.json"))


def read_preset(step: str, name: str) -> dict[str, Any]:
    """The options that a preset sets.

    Raises:
        ConfigError: the step has no preset of that name.
    """
    names = preset_names(step)
    if name not in names:
        known = ", ".join(names) or "none"
        raise ConfigError(f"Unknown preset {name!r} for {step}.{did_you_mean(name, names)} Available: {known}.")
    return read_recipe(FOLDER / f"{step}-{name}.json")
