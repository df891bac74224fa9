"""What a comparison draws: its rows, its columns, and every cell in drawing order."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from lib_trainer.comparison.axes import COLUMN_AXES, STRENGTH, settings_label
from lib_trainer.comparison.options import CompareOptions
from lib_trainer.core.errors import ConfigError, ModelError
from lib_trainer.models.tensor_files import open_tensors

NO_NETWORK = "no network"
# One picture must show them all, each still to be seen.
MOST_ROWS, MOST_COLUMNS, MOST_PICTURES = 500, 200, 10_000


@dataclass(frozen=True)
class Row:
    """A network file at a strength, or the model alone."""

    network: Path | None
    strength: float
    label: str


@dataclass(frozen=True)
class Column:
    """One value of each column axis, by the setting's name; `label` says what varies besides the prompt."""

    settings: tuple[tuple[str, Any], ...]
    label: str

    @property
    def values(self) -> dict[str, Any]:
        return dict(self.settings)


@dataclass(frozen=True)
class Cell:
    """One picture of the grid."""

    row: Row
    column: Column


@dataclass(frozen=True)
class Plan:
    """The model alone comes first; a network's rows follow one another, so that it is opened once."""

    options: CompareOptions
    rows: tuple[Row, ...]
    columns: tuple[Column, ...]

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """All cells, row by row."""
        return tuple(Cell(row, column) for row in self.rows for column in self.columns)

    @property
    def networks(self) -> list[Path]:
        """The network files in the order of their rows."""
        return list(dict.fromkeys(row.network for row in self.rows if row.network is not None))


def plan(options: CompareOptions) -> Plan:
    """Lay out a comparison; nothing is loaded yet.

    Raises:
        ModelError: the model or a network does not exist, a folder has no network in it, or a file is broken.
        ConfigError: a network is given twice, or there are more pictures than one grid can show.
    """
    if not options.model.exists():
        raise ModelError(f"The model {options.model} does not exist; check the path.")
    made = Plan(options, tuple(_rows(options)), tuple(_columns(options)))
    counts = ((len(made.rows), MOST_ROWS, "rows"), (len(made.columns), MOST_COLUMNS, "columns"))
    for count, most, what in (*counts, (len(made.cells), MOST_PICTURES, "pictures")):
        if count > most:
            raise ConfigError(f"The grid would have {count} {what}, at most {most} are possible; compare less at once.")
    return made


def _rows(options: CompareOptions) -> Iterator[Row]:
    yield Row(None, 0.0, NO_NETWORK)
    files = _network_files(options.networks)
    labels = _network_labels(files)
    strengths = STRENGTH.values(options)
    for file, strength in itertools.product(files, strengths):
        told = "" if strengths == (1.0,) else " " + STRENGTH.label.format(strength)
        yield Row(file, strength, labels[file] + told)


def _columns(options: CompareOptions) -> Iterator[Column]:
    for values in itertools.product(*(axis.values(options) for axis in COLUMN_AXES)):
        settings = tuple((axis.setting, value) for axis, value in zip(COLUMN_AXES, values, strict=True))
        yield Column(settings, settings_label(options, dict(settings), varying=True))


def _network_files(paths: tuple[Path, ...]) -> list[Path]:
    """The files, and those in the folders, in the given order; a folder's in natural order (2 before 10)."""
    files: list[Path] = []
    for path in paths:
        if not path.exists():
            raise ModelError(f"The network {path} does not exist; check the path.")
        found = sorted(path.glob("*.safetensors"), key=lambda file: _natural(file.stem)) if path.is_dir() else [path]
        if not found:
            raise ModelError(f"The folder {path} has no .safetensors file in it; give a network file or its folder.")
        files += found
    (twice, count), *_ = Counter(file.resolve() for file in files).most_common(1)
    if count > 1:
        raise ConfigError(f"'networks' gives {twice} {count} times; give the file or its folder, not both.")
    return files


def _natural(text: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part.lower()) for part in re.split(r"(\d+)", text) if part]


def _network_labels(files: list[Path]) -> dict[Path, str]:
    """Each file's name without its ending; with as much of its path as tells it from another of that name.

    The epoch in its header is added where the name does not have it, as in the last file of a run of kohya's trainer.
    """
    stems = Counter(file.stem for file in files)
    longer = Counter(f"{file.parent.name}/{file.name}" for file in files)

    def label(file: Path) -> str:
        if stems[file.stem] == 1:
            return file.stem + _epoch_told(file)
        named = f"{file.parent.name}/{file.name}"
        return (named if longer[named] == 1 else str(file)) + _epoch_told(file)

    return {file: label(file) for file in files}


def _epoch_told(file: Path) -> str:
    epoch = open_tensors(file).metadata.get("ss_epoch", "")
    in_name = {int(number) for number in re.findall(r"\d+", file.stem)}
    return f", epoch {epoch}" if epoch.isdecimal() and int(epoch) not in in_name else ""
