"""A comparison drawn by the WebUI itself: its model loading, samplers, VAE and prompt parser, in its queue."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from lib_trainer.comparison.options import CompareOptions
from lib_trainer.comparison.plan import Cell, Plan, plan
from lib_trainer.core.errors import ConfigError, ModelError, OutputError
from lib_trainer.core.events import Cell as CellDrawn
from lib_trainer.core.events import Notice, Progress, Saved
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.ui.webui.checkpoints import chosen_in_webui, known_to_webui, load_chosen_again
from lib_trainer.ui.webui.grid import Place, save_grid, save_png
from lib_trainer.ui.webui.lists import changes_nothing, forget_files, prompt_name
from lib_trainer.ui.webui.loaded_model import forget_encoded_prompts
from lib_trainer.ui.webui.pictures import batches, draw, results, sampler_of
from lib_trainer.ui.webui.task import webui_task

LONGEST_NAME = 80
MULTIPLE = 8  # of a side, in pixels: the WebUI would cut the rest off


def draw_comparison(options: CompareOptions, run: RunDirectory) -> dict[str, Any]:
    """See `Host.draw_comparison`; every picture is drawn anew, since the WebUI's settings may have changed.

    Raises:
        StopRequested: the run was asked to stop before its turn came.
        ModelError: the WebUI can't find a checkpoint or network, or could draw nothing.
        ConfigError: the WebUI has no such sampler, or can't draw that size.
        OutputError: the output folder can't be written to.
    """
    planned = plan(options)
    _check(planned)
    _make_folder(options)
    run.append(planned.event())
    if options.precision != "auto":
        said = f"'precision' is {options.precision}, but the WebUI draws with what its own flags and settings say."
        run.append(Notice(said))
    drawing = Drawing(planned, run)
    drawing.draw()
    result = {"cells": list(map(str, drawing.drawn.values())), "pictures": len(planned.cells)}
    if drawing.drawn:
        grid = save_grid(planned, drawing.drawn, drawing.parameters)
        run.append(Saved("grid", str(grid)))
        result["grid"] = str(grid)
    return {**result, "drawn": len(drawing.drawn), "kept": 0}


def _check(planned: Plan) -> None:
    for sampler in planned.options.samplers:
        sampler_of(sampler)
    for column in planned.columns:
        size = column.values["size"]
        if size.width % MULTIPLE or size.height % MULTIPLE:
            raise ConfigError(f"The size {size} can't be drawn by the WebUI; take sides that {MULTIPLE} divides.")


def _make_folder(options: CompareOptions) -> None:
    try:
        (options.output / "cells").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder {options.output} can't be made ({error}); choose another 'output'.") from error


class Drawing:
    """One comparison on its way through the WebUI."""

    def __init__(self, planned: Plan, run: RunDirectory) -> None:
        self._plan, self._run = planned, run
        self._places = {cell: divmod(number, len(planned.columns)) for number, cell in enumerate(planned.cells)}
        self._failures: list[str] = []
        self._told: set[str] = set()
        self.drawn: dict[Place, Path] = {}
        self.parameters = ""  # of the first cell that was drawn

    def draw(self) -> None:
        """Draw all cells, or those up to a stop; one that fails is told and left out.

        Raises:
            StopRequested, ModelError, OutputError: see `draw_comparison`.
        """
        with webui_task(self._run) as state, known_to_webui(list(self._plan.options.all_models)) as entries:
            names = {network: prompt_name(network) for network in self._plan.networks}
            forget_files()
            forget_encoded_prompts()
            state.job_count = sum(1 for row in self._rows() for _ in self._batches(row))
            self._progress(state)
            try:
                for model, rows in groupby(self._rows(), key=lambda row: row[0].row.model):
                    with chosen_in_webui(entries[model]) as overrides:
                        for row in rows:
                            self._draw_row(state, row, names, overrides)
            finally:
                load_chosen_again()
            if state.interrupted or state.stopping_generation:
                self._run.request("stop")  # so that it ends as one that was stopped, not as a finished one
        if self._failures and not self.drawn:
            raise ModelError(f"The WebUI could not draw any of the pictures. {self._failures[0]}")

    def _rows(self) -> list[list[Cell]]:
        return [list(cells) for _, cells in groupby(self._plan.cells, key=lambda cell: cell.row)]

    def _batches(self, row: list[Cell]) -> Iterator[list[Cell]]:
        return batches(row, self._plan.options.batch_size)

    def _draw_row(self, state: Any, row: list[Cell], names: dict[Path, str], overrides: dict[str, Any]) -> None:
        network = row[0].row.network
        name = names[network] if network is not None else None
        for batch in self._batches(row):
            if state.interrupted or state.stopping_generation:
                return
            if self._draw_batch(state, batch, name, overrides):
                continue
            for cell in batch if len(batch) > 1 else []:  # what is too much at once may do one by one
                self._draw_batch(state, [cell], name, overrides)

    def _draw_batch(self, state: Any, batch: list[Cell], name: str | None, overrides: dict[str, Any]) -> bool:
        """Draw cells that go together; False if that failed and nobody wanted it to end."""
        try:
            done = draw(self._plan.options, batch, name, overrides)
        except Exception as error:  # whatever a model, network or sampler does in there: the other cells go on
            logging.getLogger(__name__).exception("Drawing %s failed", batch[0].row.label)
            return self._has_failed(batch, f"{type(error).__name__}: {error}")
        if state.interrupted:
            return True  # what came out is half a picture
        if state.skipped:
            state.skipped = False
            self._tell(f"Skipped by the WebUI's Skip button: {_words(batch)}")
            return True
        drawn = results(done)
        if len(drawn) != len(batch):
            return self._has_failed(batch, f"the WebUI drew {len(drawn)} of {len(batch)} pictures.")
        for cell, (picture, parameters) in zip(batch, drawn, strict=True):
            self._save(cell, picture, parameters)
        network = batch[0].row.network
        if name is not None and network is not None and changes_nothing(network, name):
            self._tell(f"{batch[0].row.label}: nothing in this file fits the model, so it changes no picture.")
        for comment in filter(None, map(str.strip, str(done.comments or "").splitlines())):
            self._tell(f"The WebUI says of {batch[0].row.label}: {comment}")
        self._progress(state)
        return True

    def _has_failed(self, batch: list[Cell], message: str) -> bool:
        if len(batch) == 1:
            self._failures.append(f"{_words(batch)}: {message}")
            self._tell(f"This picture could not be drawn and stays blank. {self._failures[-1]}")
        return False

    def _save(self, cell: Cell, picture: Any, parameters: str) -> None:
        row, column = place = self._places[cell]
        network = cell.row.network.stem if cell.row.network is not None else "no-network"
        name = f"{row + 1:03}-{column + 1:03}-{network[:LONGEST_NAME]}.png"
        path = self._plan.options.output / "cells" / name
        save_png(path, picture, parameters)
        self.drawn[place] = path
        self.parameters = self.parameters or parameters
        self._run.append(CellDrawn(row, column, str(path), parameters))

    def _progress(self, state: Any) -> None:
        done, total = len(self.drawn), len(self._plan.cells)
        state.textinfo = f"Trainer: {done} of {total} pictures compared"
        self._run.append(Progress("Drawing", done, total, "pictures"))

    def _tell(self, message: str) -> None:
        """Tell each thing once: the same network has the same to say in every cell."""
        if message not in self._told:
            self._told.add(message)
            self._run.append(Notice(message, level="warning"))


def _words(batch: list[Cell]) -> str:
    titles = " / ".join(cell.column.title.replace("\n", ", ") for cell in batch)
    return f"{batch[0].row.label}, {titles}"
