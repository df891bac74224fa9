"""The step `compare`: from a model and its networks to a labelled grid of what each of them draws."""

from __future__ import annotations

from typing import Any

from lib_trainer.comparison.cells import CellFiles, Sources
from lib_trainer.comparison.digests import model_digest, network_digest
from lib_trainer.comparison.drawing import Drawing
from lib_trainer.comparison.grid import save_grid
from lib_trainer.comparison.options import CompareOptions
from lib_trainer.comparison.plan import Cell, Plan, plan
from lib_trainer.core.errors import OutputError
from lib_trainer.core.events import Notice
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.models.loading import load_model
from lib_trainer.models.precision import best_device, choose_precision


def compare(options: CompareOptions, run: RunDirectory) -> dict[str, Any]:
    """Draw what is missing of a comparison, and its grid; on a stop, the grid of what is there by then.

    Returns:
        `grid` and `cells` (paths, row by row, of what is there), and how many `pictures` there are to be, how many
        were `drawn` now and how many `kept` from before.

    Raises:
        ModelError: the model or a network is missing, can't be read, or does not fit.
        ConfigError: the options ask for what can't be drawn or shown.
        OutputError: the output folder can't be written to.
        TrainingError: the memory is too small.
    """
    device = best_device()
    precision = choose_precision(device, options.model, options.precision)
    planned = plan(options)
    networks = {path: network_digest(path) for path in planned.networks}
    files = CellFiles(options, Sources(model_digest(options.model), networks, str(precision.arithmetic)))
    _make_folder(options)
    kept = {cell for cell in planned.cells if files.is_drawn(cell)}
    missing = [cell for cell in planned.cells if cell not in kept]
    run.append(Notice(_announcement(planned, len(kept))))
    drawn: list[Cell] = []
    if missing and not run.stop_requested():
        drawing = Drawing(load_model(options.model, precision.frozen, device), options, files, run)
        drawing.draw(missing, len(kept))
        drawn = drawing.drawn
    there = kept | set(drawn)
    grid = save_grid(planned, files, there, run)
    return {
        "grid": str(grid),
        "cells": [str(files.path(cell)) for cell in planned.cells if cell in there],
        "pictures": len(planned.cells),
        "drawn": len(drawn),
        "kept": len(kept),
    }


def _make_folder(options: CompareOptions) -> None:
    try:
        (options.output / "cells").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder {options.output} can't be made ({error}); choose another 'output'.") from error


def _announcement(planned: Plan, kept: int) -> str:
    options = planned.options
    rows, columns, total = len(planned.rows), len(planned.columns), len(planned.cells)
    return (
        f"{total} pictures of {options.width}x{options.height} px ({rows} rows of {columns}): "
        f"{kept} are there already, {total - kept} to draw."
    )
