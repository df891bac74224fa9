"""The step `prepare`: copies of pictures, scaled and cropped, with their captions, in a new folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from lib_trainer.core.errors import DataError, OutputError, StopRequested
from lib_trainer.core.events import Notice, Saved
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.core.whole_files import write_text
from lib_trainer.images.copies import SUFFIXES, Plan, Sizing, too_large
from lib_trainer.images.copying import CopyJob, Outcome, bring_up_to_date
from lib_trainer.images.crops.enlarging import enlarger
from lib_trainer.images.crops.padding import masks_folder
from lib_trainer.images.crops.planning import Plans, drawn_boxes, plan_pictures
from lib_trainer.images.looking import look_through, picture_progress
from lib_trainer.images.manifest import Copy, name_copies, piece_of, read_manifest, write_manifest
from lib_trainer.images.options import PrepareOptions
from lib_trainer.images.pictures import Picture, PictureFolder, Skipped
from lib_trainer.images.pixels import colour
from lib_trainer.images.report import describe_pictures, picture_notices
from lib_trainer.images.threads import in_threads

COPIES = "copies.json"  # in the run's folder
REMEMBER_EVERY = 64  # copies
NAMED_AT_MOST = 10


def prepare(options: PrepareOptions, run: RunDirectory) -> dict[str, Any]:
    """Bring the folder of copies up to date; returns `{"folder", "pictures", "made", "kept", "skipped"}`.

    Where copies are padded, "masks" is the folder of the masks that show where their pictures are.

    A copy made before from the same bytes with the same settings is kept; copies and captions that somebody changed
    since are kept as well and reported, as are copies whose original is gone. A request to stop ends it after the
    copies that are being made.

    Raises:
        ConfigError: two options contradict each other.
        DataError: there is no readable picture, or the folders lie inside each other.
        OutputError: the copies can't be written.
    """
    sizing = Sizing.of(options)
    colour(options.background)
    output = output_folder(options)
    known = read_manifest(output)
    boxes, enlarge = drawn_boxes(options), enlarger(options, run)
    try:
        found = look_through(options, run)
        plans = plan_pictures(found, sizing, boxes, run)
    except StopRequested:
        return _result(output, [], 0)
    found.notices.extend(plans.notices)
    jobs, impossible = _jobs(found, plans, options, output, known)
    found.skipped.extend(impossible)
    for table in describe_pictures(found, [options.buckets] if options.resize == "buckets" else []):
        run.append(table)
    for notice in picture_notices(found):
        run.append(notice)
    left_over = _left_over(output, known, jobs)
    work = partial(bring_up_to_date, options=options, output=output, enlarge=enlarge)
    outcomes = _bring_up_to_date(jobs, work, output, known, run)
    _report(outcomes, left_over, run)
    _remember_made(outcomes, output, run)
    if len(outcomes) == len(jobs):
        run.append(Saved("pictures", str(output)))
    masks = {"masks": str(masks_folder(output))} if options.crop == "pad" else {}
    return {**_result(output, outcomes, len(found.skipped)), **masks}


def output_folder(options: PrepareOptions) -> Path:
    """Where the copies go.

    Raises:
        DataError: that is the folder of the originals, or one of the two lies inside the other.
    """
    folder = options.folder
    output = options.output or folder.parent / f"{folder.name}-prepared"
    places = {output: "copies", **({masks_folder(output): "masks"} if options.crop == "pad" else {})}
    for place, what in places.items():
        _check_apart(folder, place, what)
    return output


def _check_apart(folder: Path, output: Path, what: str) -> None:
    inner, outer = folder.resolve(), output.resolve()
    if inner == outer or inner in outer.parents or outer in inner.parents:
        raise DataError(
            f"The {what} would go to {output}, which overlaps with the originals in {folder}; "
            "choose an 'output' outside of that folder."
        )


def _jobs(
    found: PictureFolder, plans: Plans, options: PrepareOptions, output: Path, known: dict[str, Copy]
) -> tuple[list[CopyJob], list[Skipped]]:
    """What is to be done, and the pictures whose copies would be impossibly large."""
    wanted: dict[str, tuple[Picture, Plan]] = {}
    skipped = []
    for picture in found.pictures:
        original, pieces = picture.path.relative_to(found.folder).as_posix(), plans.of[picture.path]
        reason = next(filter(None, (too_large(plan, options) for plan in pieces)), "")
        if reason:
            skipped.append(Skipped(picture.path, reason))
            continue
        for number, plan in enumerate(pieces, start=1):
            wanted[original if len(pieces) == 1 else piece_of(original, number)] = picture, plan
    names = name_copies(output, list(wanted), known, SUFFIXES[options.format])
    jobs = [
        CopyJob(original, picture, plan, names[original], known.get(original))
        for original, (picture, plan) in wanted.items()
    ]
    return jobs, skipped


def _left_over(output: Path, known: dict[str, Copy], jobs: list[CopyJob]) -> list[str]:
    """The copies whose originals are gone; those that are gone themselves are forgotten."""
    wanted = {job.original for job in jobs}
    for original in [original for original in known if original not in wanted]:
        if not (output / known[original].name).exists():
            del known[original]
    return [copy.name for original, copy in known.items() if original not in wanted]


def _bring_up_to_date(
    jobs: list[CopyJob],
    work: Callable[[CopyJob], Outcome],
    output: Path,
    known: dict[str, Copy],
    run: RunDirectory,
) -> list[Outcome]:
    """Make what is not there yet; names are remembered before their files appear, in case the run is killed."""
    copies = {job.original: Copy(job.name, caption=job.picture.caption) for job in jobs} | known
    write_manifest(output, copies)
    tell = picture_progress(run, "Making copies")
    outcomes: list[Outcome] = []
    try:
        with closing(in_threads(work, jobs, run.stop_requested)) as results:
            for outcome in results:
                outcomes.append(outcome)
                if outcome.copy is not None:
                    copies[outcome.job.original] = outcome.copy
                tell(len(outcomes), len(jobs))
                if len(outcomes) % REMEMBER_EVERY == 0:
                    write_manifest(output, copies)
    except StopRequested:
        pass  # while a copy waited for the WebUI: the others are made
    finally:
        write_manifest(output, copies)
    return outcomes


def _report(outcomes: list[Outcome], left_over: list[str], run: RunDirectory) -> None:
    pictures = [outcome.job.name for outcome in outcomes if outcome.picture_edited]
    captions = [outcome.job.name for outcome in outcomes if outcome.caption_edited]
    masks = [outcome.job.name for outcome in outcomes if outcome.mask_edited]
    superseded = [outcome.superseded for outcome in outcomes if outcome.superseded]
    for names, what in (
        (left_over, "copies are left whose originals are gone, can't be read or are cut into other pieces now; "
         "delete them if they are not wanted"),
        (pictures, "copies were changed by somebody and are left so; delete them to have them made again"),
        (captions, "captions of copies were changed by somebody and are left so; delete them to have them written"),
        (masks, "masks of copies were changed by somebody and are left so; delete them to have them made again"),
        (superseded, "copies in another format were changed by somebody and are left beside the new ones"),
    ):
        if names:
            more = f" and {len(names) - NAMED_AT_MOST} more" if len(names) > NAMED_AT_MOST else ""
            run.append(Notice(f"{len(names)} {what}: {', '.join(names[:NAMED_AT_MOST])}{more}.", level="warning"))
    for outcome in outcomes:
        if outcome.failure:
            run.append(Notice(outcome.failure, level="warning"))


def _remember_made(outcomes: list[Outcome], output: Path, run: RunDirectory) -> None:
    """Write the names of the copies that this run made, so that they can be taken back."""
    made = [outcome.job.name for outcome in outcomes if outcome.made]
    try:
        write_text(run.path / COPIES, json.dumps({"folder": str(output), "files": made}))
    except OSError as error:
        raise OutputError(f"{run.path / COPIES} can't be written ({error}); make room there.") from error


def _result(output: Path, outcomes: list[Outcome], skipped: int) -> dict[str, Any]:
    made = sum(outcome.made for outcome in outcomes)
    failed = sum(outcome.copy is None for outcome in outcomes)
    kept = len(outcomes) - made - failed
    return {"folder": str(output), "pictures": made + kept, "made": made, "kept": kept, "skipped": skipped + failed}
