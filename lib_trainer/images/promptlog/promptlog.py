"""The step `promptlog`: chat exports as one table, filtered and counted, then their pictures with captions."""

from __future__ import annotations

import time
from typing import Any

from lib_trainer.core.errors import StopRequested
from lib_trainer.core.events import Progress
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.images.promptlog.describe import describe_log
from lib_trainer.images.promptlog.files import csv_files
from lib_trainer.images.promptlog.filters import FILTERS, WHOLE_FILTERS, conditions
from lib_trainer.images.promptlog.options import PromptLogOptions
from lib_trainer.images.promptlog.pictures import check_pictures, output_of, take_pictures
from lib_trainer.images.promptlog.selection import selection
from lib_trainer.images.promptlog.table import Tell, open_table

PROGRESS_SECONDS = 0.5


def promptlog(options: PromptLogOptions, run: RunDirectory) -> dict[str, Any]:
    """Count, sample and describe what the filters leave, then take the pictures if that is wanted.

    Returns `{"messages", "pictures", "rejected"}` and, where pictures are taken, `{"folder", "taken", "known",
    "left_out"}`: new ones, those that were there before, and those that could not be taken.

    Raises:
        ConfigError: an option can't be read, or two contradict each other.
        DataError: a file can't be read, or lacks a column.
        OutputError: the disk refuses.
    """
    for table in (FILTERS, WHOLE_FILTERS):
        conditions(table, options.filters)  # complains before the files are read
    check_pictures(options)
    files = csv_files(options.files)
    output = output_of(options, files)
    try:
        log, read = open_table(files, options.columns, run.path, _reading(run))
        with selection(log, options.filters, run.path) as chosen:
            told = describe_log(read, chosen, run)
            rejected = sum(sum(file["rejected"].values()) for file in read)
            result = {"messages": told["counts"][-1]["left"], "pictures": chosen.pictures, "rejected": rejected}
            if options.pictures == "count":
                return result
            return {**result, **take_pictures(options, chosen, output, run)}
    except StopRequested:
        return {}


def _reading(run: RunDirectory) -> Tell:
    told = 0.0

    def tell(done: int, total: int) -> None:
        nonlocal told
        if run.stop_requested():
            raise StopRequested
        if done == total or time.monotonic() - told > PROGRESS_SECONDS:
            told = time.monotonic()
            run.append(Progress("Reading the files", done // 1000, total // 1000, "kB"))

    return tell
