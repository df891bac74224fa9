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

from lib_trainer.comparison.axes import COLUMN_AXES, MODEL, STRENGTH, settings_label
from lib_trainer.comparison.options import CompareOptions
from lib_trainer.core.errors import ConfigError, ModelError
from lib_trainer.core.events import GridPlan
from lib_trainer.core.natural_order import natural_key
from lib_trainer.core.units import Size
from lib_trainer.models.tensor_headers import metadata_of, read_header
from lib_trainer.trainables import TRAINABLES

NO_NETWORK, NO_PROMPT = "no network", "(no prompt)"
NETWORK_ENDINGS = (".safetensors", ".pt")
# One picture must show them all, each still to be seen.
MOST_ROWS, MOST_COLUMNS, MOST_PICTURES = 500, 200, 10_000


@dataclass(frozen=True)
class Row:
    """A network file at a strength on a model, or the model alone."""

    model: Path
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

    @property
    def title(self) -> str:
        """The prompt, and on a second line what else varies."""
        return "\n".join(filter(None, (self.values["prompt"] or NO_PROMPT, self.label)))


@dataclass(frozen=True)
class Cell:
    """One picture of the grid."""

    row: Row
    column: Column


@dataclass(frozen=True)
class Plan:
    """Each model's rows follow one another, itself alone first, and so do a network's: each is opened once."""

    options: CompareOptions
    rows: tuple[Row, ...]
    columns: tuple[Column, ...]

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """All cells, row by row."""
        return tuple(Cell(row, column) for row in self.rows for column in self.columns)

    @property
    def largest(self) -> Size:
        """The smallest size in which each of the pictures fits."""
        sizes = [column.values["size"] for column in self.columns]
        return Size(max(size.width for size in sizes), max(size.height for size in sizes))

    def event(self) -> GridPlan:
        """The labels as they are told to whoever shows the grid."""
        rows, columns = [row.label for row in self.rows], [column.title for column in self.columns]
        return GridPlan(rows, columns, len(self.cells))

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
    for model in options.all_models:
        if not model.exists():
            raise ModelError(f"The model {model} does not exist; check the path.")
    made = Plan(options, tuple(_rows(options)), tuple(_columns(options)))
    counts = ((len(made.rows), MOST_ROWS, "rows"), (len(made.columns), MOST_COLUMNS, "columns"))
    for count, most, what in (*counts, (len(made.cells), MOST_PICTURES, "pictures")):
        if count > most:
            raise ConfigError(f"The grid would have {count} {what}, at most {most} are possible; compare less at once.")
    return made


def _rows(options: CompareOptions) -> Iterator[Row]:
    files = _network_files(options.networks)
    labels, models = _network_labels(files), _model_labels(options)
    strengths = STRENGTH.values(options)
    for model in MODEL.values(options):
        yield Row(model, None, 0.0, models[model] + NO_NETWORK)
        for file, strength in itertools.product(files, strengths):
            told = "" if strengths == (1.0,) else " " + STRENGTH.label.format(strength)
            yield Row(model, file, strength, models[model] + labels[file] + told)


def _model_labels(options: CompareOptions) -> dict[Path, str]:
    """What stands before a row's label: the model's name, where there are several."""
    models = options.all_models
    stems = Counter(model.stem for model in models)
    if not MODEL.varies(options):
        return dict.fromkeys(models, "")
    return {model: f"{model.stem if stems[model.stem] == 1 else model}: " for model in models}


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
        found = sorted(_files_of(path), key=lambda file: natural_key(file.stem))
        if not found:
            endings = " or ".join(NETWORK_ENDINGS)
            raise ModelError(f"The folder {path} has no {endings} file in it; give a network file or its folder.")
        files += found
    (twice, count), *_ = Counter(file.resolve() for file in files).most_common(1)
    if count > 1:
        raise ConfigError(f"'networks' gives {twice} {count} times; give the file or its folder, not both.")
    return files


def has_only_loras(options: CompareOptions) -> bool:
    """Whether all networks are LoRAs, as far as endings and headers tell; what can't be read is left to `plan`."""
    files = (file for path in options.networks for file in _files_of(path))
    return all(_is_lora(file) for file in files)


def _is_lora(file: Path) -> bool:
    if file.is_dir():
        return False
    if file.suffix.lower() != ".safetensors":
        return file.suffix.lower() != ".pt"  # which takes PyTorch to look into, and is seldom a LoRA
    try:
        names = read_header(file).stored.keys()
    except ModelError:
        return True
    return not any(kind.output != "lora" and kind.recognises(names) for _, kind in TRAINABLES)


def _files_of(path: Path) -> list[Path]:
    """The path itself, or the files in it; a diffusers folder is one model."""
    if not path.is_dir() or (path / "unet").is_dir():
        return [path]
    return [file for file in path.iterdir() if file.suffix in NETWORK_ENDINGS]


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
    epoch = "" if file.is_dir() else metadata_of(file).get("ss_epoch", "")
    in_name = {int(number) for number in re.findall(r"\d+", file.stem)}
    return f", epoch {epoch}" if epoch.isdecimal() and int(epoch) not in in_name else ""
