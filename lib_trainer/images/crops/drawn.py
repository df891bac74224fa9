"""Crop boxes drawn by hand: a small file beside the pictures, `.crops.json`.

    {"version": 1, "pictures": {"inside/cat.jpg": {"size": [800, 600], "box": [10, 20, 410, 420]}}}

The size is the upright picture's when the box was drawn; left, top, right and bottom are in its pixels.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_trainer.core.errors import DataError, OutputError
from lib_trainer.core.whole_files import write_text

CROPS_FILE = ".crops.json"
VERSION = 1

Size = tuple[int, int]
Edges = tuple[int, int, int, int]


@dataclass(frozen=True)
class DrawnBox:
    """One box, and how large the picture was on which it was drawn."""

    size: Size
    box: Edges

    def __post_init__(self) -> None:
        left, top, right, bottom = self.box
        if not (0 <= left < right <= self.size[0] and 0 <= top < bottom <= self.size[1]):
            width, height = self.size
            raise ValueError(f"the box {list(self.box)} does not lie in a picture of {width} x {height} pixels")


def read_boxes(folder: Path) -> dict[str, DrawnBox]:
    """The boxes drawn on the pictures of a folder, by their paths in it, with /; none where none was drawn.

    Raises:
        DataError: the file can't be read, or is damaged.
    """
    file = folder / CROPS_FILE
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        if told["version"] != VERSION:
            raise ValueError(f"its version is {told['version']!r}, not {VERSION}")
        return {str(name): _box(entry) for name, entry in told["pictures"].items()}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise DataError(f"The crop boxes in {file} can't be read ({error}); check its rights.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"The crop boxes in {file} can't be used ({error}); move that file away, and draw them again."
        ) from error


def write_boxes(folder: Path, boxes: Mapping[str, DrawnBox]) -> None:
    """Write all boxes of a folder.

    Raises:
        OutputError: the disk refuses.
    """
    entries = {name: {"size": drawn.size, "box": drawn.box} for name, drawn in sorted(boxes.items())}
    try:
        write_text(folder / CROPS_FILE, json.dumps({"version": VERSION, "pictures": entries}, indent=1))
    except OSError as error:
        raise OutputError(
            f"{folder / CROPS_FILE} can't be written ({error}); make room, or check the folder's rights."
        ) from error


def _box(entry: Any) -> DrawnBox:
    width, height = map(_whole, entry["size"])
    left, top, right, bottom = map(_whole, entry["box"])
    return DrawnBox((width, height), (left, top, right, bottom))


def _whole(number: Any) -> int:
    if not isinstance(number, int) or isinstance(number, bool):
        raise TypeError(f"{number!r} is not a whole number")
    return number
