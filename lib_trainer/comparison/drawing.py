"""Draws the cells that are not there yet, row by row and in batches, until all are there or the run is stopped."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from lib_trainer.comparison.cells import CellFiles, request_for
from lib_trainer.comparison.plan import Cell, Plan
from lib_trainer.core import events
from lib_trainer.core.errors import ModelError, TrainingError
from lib_trainer.core.events import Progress, Saved
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.models.model import Model
from lib_trainer.models.sampling import sample
from lib_trainer.trainables.base import Network
from lib_trainer.weights.networks import open_network


class Drawing:
    """Draws cells into their files, model by model, and tells of each that is there; `kept` are there already."""

    def __init__(self, planned: Plan, files: CellFiles, run: RunDirectory, kept: Collection[Cell]) -> None:
        self._options, self._files, self._run = planned.options, files, run
        self._total, self._kept = len(planned.cells), len(kept)
        self._places = {
            Cell(row, column): (row_number, column_number)
            for row_number, row in enumerate(planned.rows)
            for column_number, column in enumerate(planned.columns)
        }
        self.drawn: list[Cell] = []  # whose files lie whole on the disk
        for cell in planned.cells:
            if cell in kept:
                self._tell(cell)

    def draw(self, model: Model, missing: Sequence[Cell]) -> None:
        """Draw the missing cells of a model, given in drawing order.

        Raises:
            ModelError: a network does not fit the model (told before it draws anything), or a picture is not finite.
            TrainingError: the memory is too small.
            OutputError: the disk refuses.
        """
        networks = dict.fromkeys(cell.row.network for cell in missing)
        for network in filter(None, networks):
            open_network(model, network).detach()
        self._progress()
        for batch, pictures in self._pictures(model, missing):
            for cell, picture in zip(batch, pictures, strict=True):
                self._run.append(Saved("picture", str(self._files.save(cell, picture))))
                self._tell(cell)
                self.drawn.append(cell)
            self._progress()

    def _tell(self, cell: Cell) -> None:
        path, parameters = str(self._files.path(cell)), self._files.parameters(cell)
        self._run.append(events.Cell(*self._places[cell], path, parameters))

    def _progress(self) -> None:
        self._run.append(Progress("Drawing", self._kept + len(self.drawn), self._total, "pictures"))

    def _pictures(self, model: Model, missing: Sequence[Cell]) -> Iterator[tuple[list[Cell], list[Image.Image]]]:
        for path, of_network in groupby(missing, key=lambda cell: cell.row.network):
            with _attached(model, path) as network:
                for row, of_row in groupby(of_network, key=lambda cell: cell.row):
                    if network is not None:
                        network.set_strength(row.strength)
                    for batch in _batches(of_row, self._options.batch_size):
                        pictures = [] if self._run.stop_requested() else self._sample(model, batch)
                        if not pictures:
                            return
                        yield batch, pictures

    def _sample(self, model: Model, batch: list[Cell]) -> list[Image.Image]:
        """The pictures of a batch; none if the run was asked to stop meanwhile."""
        request = request_for(self._options, batch)
        try:
            return sample(model, request, lambda done, total: self._run.stop_requested())
        except ModelError as error:
            raise ModelError(f"Drawing the row {batch[0].row.label!r}: {error}") from error
        except torch.OutOfMemoryError as error:
            raise TrainingError(
                f"There is not enough memory to draw {len(batch)} pictures of {request.width}x{request.height} px "
                "at once; lower 'batch_size', then 'width' and 'height'."
            ) from error


def _batches(cells: Iterable[Cell], size: int) -> Iterator[list[Cell]]:
    """Cells of one row that can be drawn at once: those that differ in prompt and seed only."""
    alike: dict[tuple[Any, ...], list[Cell]] = {}
    for cell in cells:
        settings = tuple(each for each in cell.column.settings if each[0] not in ("prompt", "seed"))
        alike.setdefault(settings, []).append(cell)
    for group in alike.values():
        for start in range(0, len(group), size):
            yield group[start : start + size]


@contextmanager
def _attached(model: Model, path: Path | None) -> Iterator[Network | None]:
    """A file's network on the model as long as the block lasts."""
    if path is None:
        yield None
        return
    network = open_network(model, path)
    try:
        yield network
    finally:
        network.detach()
