"""The labelled grid of all cells as one PNG."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from lib_trainer.comparison.axes import COLUMN_AXES
from lib_trainer.comparison.cells import CellFiles, save_png
from lib_trainer.comparison.layout import GAP, Heading, Layout, lay_out
from lib_trainer.comparison.plan import Cell, Plan
from lib_trainer.core.events import Notice, Saved
from lib_trainer.core.run_directory import RunDirectory

PAPER, INK, RULE, BLANK = "#ffffff", "#1c1c1c", "#b8b8b8", "#ececec"
NOT_DRAWN = "not drawn yet"
COMPARISON = "comparison"  # the name of the PNG's text that holds the settings as JSON


def save_grid(plan: Plan, files: CellFiles, drawn: set[Cell], run: RunDirectory) -> Path:
    """Draw and write `grid.png` into the output folder; cells that are not in `drawn` stay blank.

    Raises:
        OutputError: the disk refuses.
    """
    layout = lay_out(plan)
    for message in _remarks(plan, layout):
        run.append(Notice(message))
    path = plan.options.output / "grid.png"
    save_png(path, draw_grid(plan, layout, {cell: files.path(cell) for cell in drawn}), _texts(plan, files))
    run.append(Saved("grid", str(path)))
    return path


def _remarks(plan: Plan, layout: Layout) -> Iterator[str]:
    """What is not in the grid as it could be expected."""
    own = plan.largest
    if layout.shown != (own.width, own.height):
        yield (
            f"The grid shows its {len(plan.cells)} pictures at {layout.shown[0]}x{layout.shown[1]} px instead of "
            f"{own} px, or it would be too large to open; the single pictures keep their size."
        )
    if not layout.letters_known:
        yield (
            "No font on this computer has all letters of the labels, some are boxes in the grid; "
            "the pictures' texts are complete."
        )


def draw_grid(plan: Plan, layout: Layout, pictures: dict[Cell, Path]) -> Image.Image:
    """Row labels on the left, prompts and what else varies on top, a blank where there is no picture."""
    grid = Image.new("RGB", layout.size, PAPER)
    pen = ImageDraw.Draw(grid)
    _text(pen, layout, layout.title, (2 * GAP, GAP))
    for heading in layout.prompts:
        _heading(pen, layout, heading, layout.title_height)
    for heading in layout.settings:
        _heading(pen, layout, heading, layout.title_height + layout.prompts_height)
    for row_number, row in enumerate(plan.rows):
        top = layout.top + row_number * layout.slot[1]
        lines = layout.rows[row_number]
        _text(pen, layout, lines, (2 * GAP, top + (layout.slot[1] - GAP - len(lines) * layout.line) // 2))
        for column_number, column in enumerate(plan.columns):
            shown = layout.size_of(column)
            across, down = layout.slot[0] - GAP - shown[0], layout.slot[1] - GAP - shown[1]
            left = layout.left + column_number * layout.slot[0] + across // 2
            place = (left, top + (down // 2 if shown != layout.shown else 0), *shown)
            _picture(grid, layout, pictures.get(Cell(row, column)), place)
    return grid


def _picture(grid: Image.Image, layout: Layout, path: Path | None, place: tuple[int, int, int, int]) -> None:
    """A picture at (left, top, width, height), or the sign that there is none yet."""
    left, top, width, height = place
    if path is None:
        pen = ImageDraw.Draw(grid)
        pen.rectangle((left, top, left + width - 1, top + height - 1), fill=BLANK)
        if pen.textlength(NOT_DRAWN, font=layout.font) < width:
            _text(pen, layout, [NOT_DRAWN], (left + GAP, top + GAP))
        return
    with Image.open(path) as picture:
        shown = picture.convert("RGB")
    if shown.size != (width, height):
        shown = shown.resize((width, height), Image.Resampling.LANCZOS)
    grid.paste(shown, (left, top))


def _heading(pen: ImageDraw.ImageDraw, layout: Layout, heading: Heading, top: int) -> None:
    """Centred over its columns, with a rule beneath it if they are several."""
    left = layout.left + heading.first * layout.slot[0]
    width = heading.count * layout.slot[0] - GAP
    for number, line in enumerate(heading.lines):
        offset = (width - pen.textlength(line, font=layout.font)) / 2
        pen.text((left + offset, top + number * layout.line), line, fill=INK, font=layout.font)
    if heading.count > 1:
        bottom = top + layout.prompts_height - GAP
        pen.line((left, bottom, left + width - 1, bottom), fill=RULE)


def _text(pen: ImageDraw.ImageDraw, layout: Layout, lines: list[str], corner: tuple[int, int]) -> None:
    for number, line in enumerate(lines):
        pen.text((corner[0], corner[1] + number * layout.line), line, fill=INK, font=layout.font)


def _texts(plan: Plan, files: CellFiles) -> PngInfo:
    """The WebUI's `parameters` of the first cell, and all settings by name; no path, since grids are passed on."""
    options = plan.options
    told = {
        "models": [model.name for model in options.all_models],
        "rows": [row.label for row in plan.rows],
        **{axis.option: axis.values(options) for axis in COLUMN_AXES},
        "negative_prompt": options.negative_prompt,
        "clip_skip": options.clip_skip,
        "precision": options.precision,
    }
    texts = PngInfo()
    texts.add_text("parameters", files.parameters(plan.cells[0]))
    texts.add_itxt(COMPARISON, json.dumps(told, ensure_ascii=False, indent=2, default=str))
    return texts
