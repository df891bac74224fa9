"""The axes of a comparison: along which options it may vary, and how a value of each reads in a label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lib_trainer.comparison.options import CompareOptions


@dataclass(frozen=True)
class Axis:
    """One line of the table: the option that holds the values, and the picture's setting that takes each of them.

    `attribute` is where the options have all values, if that is not the option itself.
    """

    option: str
    setting: str
    along: Literal["rows", "columns"]
    label: str
    attribute: str = ""

    def values(self, options: CompareOptions) -> tuple[Any, ...]:
        """The values given for this axis."""
        return tuple(getattr(options, self.attribute or self.option))

    def varies(self, options: CompareOptions) -> bool:
        """Whether there is more than one value."""
        return len(self.values(options)) > 1


# Outermost first. A column's settings but the size are fields of `SampleRequest`; prompts and seeds are the two it has
# per picture. Networks may be folders: `plan.py` lists the files in them.
AXES = (
    Axis("models", "model", "rows", "{}", attribute="all_models"),
    Axis("networks", "network", "rows", "{}"),
    Axis("strengths", "strength", "rows", "at {:g}"),
    Axis("prompts", "prompt", "columns", "{}", attribute="all_prompts"),
    Axis("seeds", "seed", "columns", "seed {}"),
    Axis("cfg_scales", "cfg_scale", "columns", "CFG {:g}"),
    Axis("steps", "steps", "columns", "{} steps"),
    Axis("samplers", "sampler", "columns", "{}"),
    Axis("sizes", "size", "columns", "{} px", attribute="all_sizes"),
)
COLUMN_AXES = tuple(axis for axis in AXES if axis.along == "columns")
MODEL, STRENGTH = (next(axis for axis in AXES if axis.setting == setting) for setting in ("model", "strength"))


def settings_label(options: CompareOptions, settings: Mapping[str, Any], varying: bool) -> str:
    """A column's settings in words, without the prompt: those that vary, or those that don't."""
    told = [axis for axis in COLUMN_AXES if axis.setting != "prompt" and axis.varies(options) == varying]
    return ", ".join(axis.label.format(settings[axis.setting]) for axis in told)
