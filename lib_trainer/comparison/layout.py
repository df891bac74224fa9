"""Where everything in a grid stands, and how far its pictures must be scaled down to stay within a sane size."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from lib_trainer.comparison.axes import settings_label
from lib_trainer.comparison.labels import choose_font, line_height, text_width, wrap
from lib_trainer.comparison.plan import NO_PROMPT, Column, Plan
from lib_trainer.core.units import Size

MOST_PIXELS, LONGEST_SIDE = 64_000_000, 16_384  # what viewers and browsers still open
SCALE_STEP = 0.94
SMALLEST_SHOWN = 16  # pixels; see the limits in `plan.py`
COLUMN_FOR_TEXT, NARROWEST_COLUMN = 112, 64  # pixels
SMALLEST_FONT, LARGEST_FONT = 12, 28  # pixels
WIDEST_ROW_LABEL = 260  # pixels
MOST_HEADING_LINES = 10
GAP = 4  # pixels between pictures


@dataclass(frozen=True)
class Heading:
    """A text above the columns `first` to `first + count - 1`."""

    lines: list[str]
    first: int
    count: int


@dataclass(frozen=True)
class Layout:
    """Sizes in pixels: `shown` of the largest picture, `slot` of its place with the gap, `left` and `top` of labels."""

    font: Any
    letters_known: bool
    scale: float
    shown: tuple[int, int]
    slot: tuple[int, int]
    left: int
    title: list[str]
    prompts: list[Heading]
    settings: list[Heading]
    rows: list[list[str]]
    columns: int

    def size_of(self, column: Column) -> tuple[int, int]:
        """Width and height in which the pictures of a column are shown."""
        return _scaled(column.values["size"], self.scale)

    @property
    def line(self) -> int:
        return line_height(self.font)

    @property
    def title_height(self) -> int:
        return len(self.title) * self.line + 2 * GAP

    @property
    def prompts_height(self) -> int:
        return max(len(heading.lines) for heading in self.prompts) * self.line + GAP

    @property
    def top(self) -> int:
        lines = max((len(heading.lines) for heading in self.settings), default=0)
        return self.title_height + self.prompts_height + lines * self.line + GAP

    @property
    def size(self) -> tuple[int, int]:
        return self.left + self.columns * self.slot[0], self.top + len(self.rows) * self.slot[1]

    @property
    def fits(self) -> bool:
        width, height = self.size
        return max(width, height) <= LONGEST_SIDE and width * height <= MOST_PIXELS


def lay_out(plan: Plan) -> Layout:
    """The layout with the largest pictures, at most their own size, that stays within the limits."""
    own = plan.largest
    width, height = len(plan.columns) * own.width, len(plan.rows) * own.height
    # What the pictures alone allow; the labels come on top.
    scale = min(1.0, LONGEST_SIDE / width, LONGEST_SIDE / height, math.sqrt(MOST_PIXELS / (width * height)))
    smallest = SMALLEST_SHOWN / max(own.width, own.height)
    while not (layout := _at_scale(plan, scale)).fits and scale > smallest:
        scale *= SCALE_STEP
    return layout


def _at_scale(plan: Plan, scale: float) -> Layout:
    shown = _scaled(plan.largest, scale)
    column = max(shown[0], NARROWEST_COLUMN, round(COLUMN_FOR_TEXT * scale))
    texts = list(_texts(plan))
    font, letters_known = choose_font(texts, min(LARGEST_FONT, max(SMALLEST_FONT, column // 10)))
    widest = max(text_width(font, row.label) for row in plan.rows)
    left = min(widest, max(WIDEST_ROW_LABEL, column)) + 3 * GAP
    slot = (column + GAP, max(shown[1], line_height(font)) + GAP)
    label_lines = slot[1] // line_height(font)
    return Layout(
        font=font,
        letters_known=letters_known,
        scale=scale,
        shown=shown,
        slot=slot,
        left=left,
        title=wrap(_title(plan), font, left + len(plan.columns) * slot[0] - 4 * GAP, MOST_HEADING_LINES),
        prompts=list(_prompt_headings(plan, font, slot[0])),
        settings=_settings_headings(plan, font, slot[0]),
        rows=[wrap(row.label, font, left - 2 * GAP, label_lines) for row in plan.rows],
        columns=len(plan.columns),
    )


def _scaled(size: Size, scale: float) -> tuple[int, int]:
    return max(1, round(size.width * scale)), max(1, round(size.height * scale))


def _title(plan: Plan) -> str:
    """The model and what all pictures have in common."""
    options = plan.options
    models = " and ".join(model.stem for model in options.all_models)
    return ", ".join(filter(None, (models, settings_label(options, plan.columns[0].values, varying=False))))


def _texts(plan: Plan) -> Iterator[str]:
    yield _title(plan)
    yield from plan.options.all_prompts
    yield from (row.label for row in plan.rows)


def _prompt_headings(plan: Plan, font: Any, column: int) -> Iterator[Heading]:
    """One for each prompt, over all of its columns."""
    first = 0
    for prompt, group in groupby(plan.columns, key=lambda each: each.values["prompt"]):
        count = len(list(group))
        yield Heading(wrap(prompt or NO_PROMPT, font, count * column - 2 * GAP, MOST_HEADING_LINES), first, count)
        first += count


def _settings_headings(plan: Plan, font: Any, column: int) -> list[Heading]:
    """One for each column, if anything but the prompt varies."""
    return [
        Heading(wrap(each.label, font, column - 2 * GAP, MOST_HEADING_LINES), number, 1)
        for number, each in enumerate(plan.columns)
        if each.label
    ]
