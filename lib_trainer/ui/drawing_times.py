"""How long a comparison will take, by how long an earlier one of the same models took."""

from __future__ import annotations

from statistics import mean
from typing import Any

from lib_trainer.comparison.options import CompareOptions
from lib_trainer.comparison.plan import Plan
from lib_trainer.core.configs import load
from lib_trainer.core.errors import TrainerError
from lib_trainer.core.events import Event, Progress, Started
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.ui.projects import Project


def expected_seconds(planned: Plan, project: Project) -> float | None:
    """Seconds that drawing all of a plan takes; None where no comparison of its models was drawn in this project.

    The newest that drew pictures of the same size and steps counts, else the newest, by pixels times steps.
    """
    options = planned.options
    earlier = [
        (other, seconds)
        for run in sorted(project.runs(), key=_begun, reverse=True)
        if (other := _options(run)) is not None and other.all_models == options.all_models
        if (seconds := _seconds_a_picture(run)) is not None
    ]
    if not earlier:
        return None
    alike = [entry for entry in earlier if _shape(entry[0]) == _shape(options)]
    other, seconds = (alike or earlier)[0]
    return round(len(planned.cells) * seconds * _work(options) / _work(other), 1)


def _begun(run: RunDirectory) -> float:
    try:
        return run.job_file.stat().st_mtime
    except OSError:
        return 0.0  # it was deleted while we looked


def _options(run: RunDirectory) -> CompareOptions | None:
    """What was compared; None where the run is of another step or of an earlier version."""
    try:
        step, config = run.job()
        return load(CompareOptions, config) if step == "compare" else None
    except TrainerError:
        return None


def _shape(options: CompareOptions) -> tuple[Any, ...]:
    return sorted(map(str, options.all_sizes)), sorted(options.steps)


def _work(options: CompareOptions) -> float:
    """Pixels times steps of a picture, on average: every size is drawn with every number of steps."""
    return mean(size.width * size.height for size in options.all_sizes) * mean(options.steps)


def _seconds_a_picture(run: RunDirectory) -> float | None:
    """Seconds from the first picture on; what was there before a start, and loading, do not count."""
    seconds, drawn = 0.0, 0
    before: Event | None = None
    for event in run.events_after(0)[0]:
        if isinstance(event, Started):
            before = None
        elif isinstance(event, Progress) and event.unit == "pictures":
            if isinstance(before, Progress) and event.done > before.done:
                seconds += event.time - before.time
                drawn += event.done - before.done
            before = event
    return seconds / drawn if drawn and seconds > 0 else None
