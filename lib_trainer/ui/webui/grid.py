"""The labelled grid of a comparison, with the WebUI's own lettering, and the PNG files of its cells."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lib_trainer.comparison.plan import Plan
from lib_trainer.core.errors import OutputError
from lib_trainer.core.whole_files import whole_file

MOST_PIXELS, LONGEST_SIDE = 64_000_000, 16_384  # what viewers and browsers still open
Place = tuple[int, int]  # row and column, from 0


def save_png(path: Path, picture: Any, parameters: str) -> None:
    """Write a picture with its text as a whole file.

    Raises:
        OutputError: the disk refuses.
    """
    from PIL.PngImagePlugin import PngInfo

    texts = PngInfo()
    texts.add_text("parameters", parameters)
    try:
        with whole_file(path) as file:
            picture.save(file, "PNG", pnginfo=texts)
    except OSError as error:
        raise OutputError(f"{path} can't be written ({error}); make room or choose another 'output'.") from error


def save_grid(plan: Plan, cells: Mapping[Place, Path], parameters: str) -> Path:
    """Write `grid.png` into the output folder; cells that are not there stay blank.

    Raises:
        OutputError: the disk refuses.
    """
    from modules import images

    scale = _scale(plan)
    labels = plan.event()
    pictures = [_picture(plan, cells, (row, column), scale) for row, column in _places(plan)]
    grid = images.image_grid(pictures, rows=len(plan.rows))
    width, height = max(each.width for each in pictures), max(each.height for each in pictures)
    columns = [[images.GridAnnotation(text)] for text in labels.columns]
    rows = [[images.GridAnnotation(text)] for text in labels.rows]
    path = plan.options.output / "grid.png"
    save_png(path, images.draw_grid_annotations(grid, width, height, columns, rows), parameters)
    return path


def _places(plan: Plan) -> list[Place]:
    return [(row, column) for row in range(len(plan.rows)) for column in range(len(plan.columns))]


def _scale(plan: Plan) -> float:
    width, height = plan.largest.width * len(plan.columns), plan.largest.height * len(plan.rows)
    return min(1.0, LONGEST_SIDE / width, LONGEST_SIDE / height, math.sqrt(MOST_PIXELS / (width * height)))


def _picture(plan: Plan, cells: Mapping[Place, Path], place: Place, scale: float) -> Any:
    from PIL import Image

    if place not in cells:
        size = plan.columns[place[1]].values["size"]
        return Image.new("RGB", (round(size.width * scale) or 1, round(size.height * scale) or 1))
    with Image.open(cells[place]) as opened:
        picture = opened.convert("RGB")
    if scale == 1.0:
        return picture
    return picture.resize((round(picture.width * scale) or 1, round(picture.height * scale) or 1))
