"""The step `check`: the doctor's report on a folder of pictures, as findings with what mends each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lib_trainer.core.errors import DataError, OutputError, StopRequested
from lib_trainer.core.events import Table
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.core.whole_files import write_text
from lib_trainer.images.buckets import bucket_sizes
from lib_trainer.images.doctor import caption_checks, picture_checks, set_checks
from lib_trainer.images.doctor.case import Case
from lib_trainer.images.doctor.examining import Examined, examine
from lib_trainer.images.doctor.findings import Finding, worst_first
from lib_trainer.images.doctor.options import CheckOptions
from lib_trainer.images.folder import scan
from lib_trainer.images.looking import picture_progress
from lib_trainer.images.pixels import colour
from lib_trainer.images.report import picture_notices
from lib_trainer.images.wording.clip_pieces import ClipPieces

FINDINGS = "findings.json"
WORDS = {"bad": "Bad", "warning": "Warning", "info": "Worth knowing"}

CHECKS: dict[str, Callable[[Case], Iterator[Finding]]] = {
    "corrupt": picture_checks.corrupt,
    "other kinds": picture_checks.other_kinds,
    "blurred": picture_checks.blurred,
    "noisy": picture_checks.noisy,
    "marks": set_checks.marks,
    "lettered": picture_checks.lettered,
    "bordered": picture_checks.bordered,
    "small": picture_checks.small,
    "odd shape": picture_checks.odd_shape,
    "concept size": set_checks.concept_size,
    "class size": set_checks.class_size,
    "uneven": set_checks.uneven,
    "backgrounds": set_checks.backgrounds,
    "missing captions": caption_checks.missing,
    "long captions": caption_checks.too_long,
    "junk in captions": caption_checks.junk,
    "one caption": caption_checks.all_alike,
    "common tags": caption_checks.common_tags,
    "lone sizes": set_checks.lone_buckets,
    "short batches": set_checks.short_batches,
    "transparent": picture_checks.transparent,
    "turned": picture_checks.turned,
}


def check(options: CheckOptions, run: RunDirectory) -> dict[str, Any]:
    """Write `findings.json` into the run's folder; returns `{"folder", "count", "findings", "bad", "warning", "info"}`.

    Nothing is written when the run is asked to stop.

    Raises:
        ConfigError: two options contradict each other.
        DataError: there is no such folder, or no readable picture in it.
        OutputError: the run's folder can't be written.
    """
    colour(options.background)
    bucket_sizes(options.buckets)
    try:
        case = _case(options, run)
    except StopRequested:
        return {}
    for notice in picture_notices(case.found):
        run.append(notice)
    findings = worst_first([finding for examiner in CHECKS.values() for finding in examiner(case)])
    _write(run.path / FINDINGS, [finding.as_table() for finding in findings])
    rows = [[WORDS[each.level], each.title, str(len(each.files) or ""), each.sentence] for each in findings]
    run.append(Table("The doctor's report", ["", "What", "Pictures", "What it means"], rows))
    counts = {level: sum(each.level == level for each in findings) for level in WORDS}
    return {"folder": str(options.folder), "count": len(case.pictures), "findings": FINDINGS, **counts}


def _case(options: CheckOptions, run: RunDirectory) -> Case:
    """Look at every picture.

    Raises:
        StopRequested: the run was asked to stop.
    """
    examined: dict[Path, Examined] = {}

    def look(path: Path) -> tuple[int, int]:
        examined[path] = examine(path, options.background, options.buckets.resolution)
        return examined[path].size

    found = scan(options.folder, options.captions, _progress(run, "Examining pictures"), look)
    return Case(options, found, examined, ClipPieces().count, _class_pictures(options, run))


def _class_pictures(options: CheckOptions, run: RunDirectory) -> int | None:
    if options.class_folder is None:
        return None
    try:
        progress = _progress(run, "Looking at class pictures")
        return len(scan(options.class_folder, options.captions, progress).pictures)
    except DataError:
        return 0  # there is none yet, which is what is to be told


def _progress(run: RunDirectory, stage: str) -> Callable[[int, int], None]:
    tell = picture_progress(run, stage)

    def looked(done: int, total: int) -> None:
        if run.stop_requested():
            raise StopRequested
        tell(done, total)

    return looked


def _write(path: Path, findings: list[dict[str, Any]]) -> None:
    try:
        write_text(path, json.dumps(findings))
    except OSError as error:
        raise OutputError(f"{path} can't be written ({error}); make room there.") from error
