"""The step `compare`: from a model and its networks to a labelled grid of what each of them draws."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

from lib_trainer.comparison.cells import CellFiles, Sources
from lib_trainer.comparison.digests import model_digest, network_digest
from lib_trainer.comparison.drawing import Drawing
from lib_trainer.comparison.grid import save_grid
from lib_trainer.comparison.options import CompareOptions
from lib_trainer.comparison.plan import Plan, plan
from lib_trainer.core.errors import ConfigError, OutputError
from lib_trainer.core.events import Notice
from lib_trainer.core.registry import did_you_mean
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.models.loading import load_model
from lib_trainer.models.precision import Precision, best_device, choose_precision
from lib_trainer.models.samplers import SAMPLERS
from lib_trainer.weights.networks import kind_of_file


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
    _check_samplers(options)
    planned = plan(options)
    device = best_device()
    precisions = {model: choose_precision(device, model, options.precision) for model in options.all_models}
    files = CellFiles(options, _sources(planned, precisions))
    _make_folder(options)
    kept = {cell for cell in planned.cells if files.is_drawn(cell)}
    missing = [cell for cell in planned.cells if cell not in kept]
    run.append(Notice(_announcement(planned, len(kept))))
    run.append(planned.event())
    drawing = Drawing(planned, files, run, kept)
    for model, cells in groupby(missing, key=lambda cell: cell.row.model):
        if not run.stop_requested():
            drawing.draw(load_model(model, precisions[model].frozen, device), list(cells))
    there = kept | set(drawing.drawn)
    grid = save_grid(planned, files, there, run)
    return {
        "grid": str(grid),
        "cells": [str(files.path(cell)) for cell in planned.cells if cell in there],
        "pictures": len(planned.cells),
        "drawn": len(drawing.drawn),
        "kept": len(kept),
    }


def _check_samplers(options: CompareOptions) -> None:
    """A WebUI draws with others as well, so that the options can't know them."""
    for name in options.samplers:
        if name not in SAMPLERS:
            hint = did_you_mean(name, list(SAMPLERS))
            raise ConfigError(f"'samplers' has {name!r}; each must be one of {', '.join(SAMPLERS)}.{hint}")


def _sources(planned: Plan, precisions: dict[Path, Precision]) -> Sources:
    outputs = {path: kind_of_file(path).output for path in planned.networks}
    return Sources(
        models={model: model_digest(model) for model in precisions},
        networks={
            path: model_digest(path) if output == "checkpoint" else network_digest(path)
            for path, output in outputs.items()
        },
        outputs=outputs,
        arithmetic={model: str(precision.arithmetic) for model, precision in precisions.items()},
    )


def _make_folder(options: CompareOptions) -> None:
    try:
        (options.output / "cells").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder {options.output} can't be made ({error}); choose another 'output'.") from error


def _announcement(planned: Plan, kept: int) -> str:
    options = planned.options
    rows, columns, total = len(planned.rows), len(planned.columns), len(planned.cells)
    return (
        f"{total} pictures of {' and '.join(map(str, options.all_sizes))} px ({rows} rows of {columns}): "
        f"{kept} are there already, {total - kept} to draw."
    )
