"""How pictures were rated, read from a table of names and numbers."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from lib_trainer.core.errors import DataError
from lib_trainer.dataset.options import DatasetOptions
from lib_trainer.images.encodings import read_text_file

if TYPE_CHECKING:
    from lib_trainer.dataset.entries import Entry
    from lib_trainer.dataset.prospects import Prospect

NAMED = 5  # names in one message
Picture = TypeVar("Picture", "Entry", "Prospect")


def with_ratings(pictures: Sequence[Picture], options: DatasetOptions) -> tuple[list[Picture], list[str]]:
    """The pictures with their ratings, where there is a table of them, and notices for the user.

    Raises:
        DataError: as `read_ratings`.
    """
    if options.rating.file is None:
        return list(pictures), []
    ratings, notices = read_ratings(options.rating.file, options.folder, [picture.path for picture in pictures])
    return [replace(picture, rating=ratings.get(picture.path, picture.rating)) for picture in pictures], notices


def read_ratings(file: Path, folder: Path, pictures: Sequence[Path]) -> tuple[dict[Path, float], list[str]]:
    """The ratings of those pictures inside `folder` that the table names, and notices for the user.

    Each line is a name and a number above 0, parted by a comma, semicolon or tab; a name is the picture's path inside
    the folder, or its file name where only one picture is called so. The first line may be a heading.

    Raises:
        DataError: the table can't be read, or one of its lines.
    """
    by_name: dict[str, list[Path]] = {}
    for picture in dict.fromkeys(pictures):
        inside = picture.relative_to(folder) if picture.is_relative_to(folder) else picture
        for name in {picture.name, inside.as_posix()}:
            by_name.setdefault(name, []).append(picture)
    ratings: dict[Path, float] = {}
    unknown = []
    for number, name, rating in _lines(file):
        named = by_name.get(name.replace("\\", "/"), [])
        if len(named) > 1:
            raise DataError(
                f"Line {number} of {file} names {name}, but {len(named)} pictures are called so; add the folder."
            )
        if not named:
            unknown.append(name)
        for picture in named:
            ratings[picture] = rating
    if not ratings:
        raise DataError(f"{file} names no picture in {folder}; a line is a picture's name, a comma, and a number.")
    more = f" and {len(unknown) - NAMED} more" if len(unknown) > NAMED else ""
    return ratings, [f"{file} names no picture that is here: {', '.join(unknown[:NAMED])}{more}."] if unknown else []


def _lines(file: Path) -> list[tuple[int, str, float]]:
    """The number of each line, with its name and rating."""
    text = read_text_file(file).text
    parts = next((sign for sign in "\t;," if sign in text), ",")
    found = []
    for number, row in enumerate(csv.reader(io.StringIO(text), delimiter=parts), start=1):
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        rating = _number(cells[1]) if len(cells) == 2 else None
        if rating is not None and cells[0]:
            found.append((number, cells[0], rating))
        elif number > 1 or len(cells) != 2 or _is_number(cells[1]):
            raise DataError(
                f"Line {number} of {file} is {parts.join(row)!r}; it must be a picture's name, a comma, and a number "
                "above 0."
            )
    return found


def _number(text: str) -> float | None:
    """A rating, or None if the text is none."""
    return float(text) if _is_number(text) and 0 < float(text) < math.inf else None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
