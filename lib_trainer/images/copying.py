"""Bringing one copy and its caption up to date, without touching what somebody else changed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from lib_trainer.core.errors import OutputError
from lib_trainer.core.host_desk import DeclinedError
from lib_trainer.core.whole_files import whole_file
from lib_trainer.images.copies import Enlarger, Plan, copy_bytes, recipe
from lib_trainer.images.crops.padding import MASK_SUFFIX, mask_bytes, masks_folder
from lib_trainer.images.manifest import Copy
from lib_trainer.images.options import PrepareOptions
from lib_trainer.images.pictures import Picture
from lib_trainer.images.pixels import PictureError

CAPTION_SUFFIX = ".txt"


@dataclass(frozen=True)
class CopyJob:
    """A picture, the path of its original, what becomes of it, its copy's name, and what is known of that copy."""

    original: str
    picture: Picture
    plan: Plan
    name: str
    previous: Copy | None


@dataclass(frozen=True)
class Outcome:
    """What happened: `copy` is None where `failure` says why there is none; `superseded` is a file that was left."""

    job: CopyJob
    copy: Copy | None
    made: bool = False
    picture_edited: bool = False
    caption_edited: bool = False
    mask_edited: bool = False
    superseded: str = ""
    failure: str = ""


def bring_up_to_date(
    job: CopyJob, options: PrepareOptions, output: Path, enlarge: Enlarger | None = None
) -> Outcome:
    """Make the copy unless it is there already, made from the same bytes by the same recipe; write its caption.

    Raises:
        OutputError: the folder of copies can't be read or written.
        StopRequested: asked for while `enlarge` waited.
    """
    try:
        outcome = _picture(job, options, output, enlarge)
        if outcome.copy is None:
            return outcome
        caption, edited = _caption(job, output)
        mask, repainted = _mask(job, output) if options.crop == "pad" else (outcome.copy.mask, False)
    except OSError as error:
        raise OutputError(
            f"The copy {output / job.name} can't be written ({error}); make room there or choose another 'output'."
        ) from error
    copy = replace(outcome.copy, caption=caption, mask=mask)
    return replace(outcome, copy=copy, caption_edited=edited, mask_edited=repainted)


def _picture(job: CopyJob, options: PrepareOptions, output: Path, enlarge: Enlarger | None) -> Outcome:
    target, previous = output / job.name, job.previous
    wanted = recipe(options, job.plan, job.picture)
    try:
        original = _original_digest(job.picture.path)
        if previous is not None and previous.content and previous.name == job.name and target.exists():
            if _digest(target) != previous.content:
                return Outcome(job, previous, picture_edited=True)
            if (previous.original, previous.recipe) == (original, wanted):
                return Outcome(job, previous)
        content = copy_bytes(job.picture, job.plan, options, enlarge)
    except PictureError as error:
        return Outcome(job, None, failure=str(error))
    except DeclinedError as error:
        said = f"{job.picture.path} has no copy: the WebUI could not enlarge it ({error}). Take another 'upscaler'."
        return Outcome(job, None, failure=said)
    with whole_file(target) as file:
        file.write(content)
    mask = previous.mask if previous is not None else ""
    copy = Copy(job.name, original, hashlib.sha256(content).hexdigest(), wanted, mask=mask)
    return Outcome(job, copy, made=True, superseded=_superseded(job, output))


def _superseded(job: CopyJob, output: Path) -> str:
    """Delete the copy that the format's change replaced; its name, if somebody changed it and it is left."""
    if job.previous is None or job.previous.name == job.name or not (output / job.previous.name).exists():
        return ""
    if job.previous.content and _digest(output / job.previous.name) != job.previous.content:
        return job.previous.name
    (output / job.previous.name).unlink()
    return ""


def _caption(job: CopyJob, output: Path) -> tuple[str, bool]:
    """The caption that we last wrote, and whether somebody wrote another over it."""
    file = (output / job.name).with_suffix(CAPTION_SUFFIX)
    wanted = job.picture.caption
    before = job.previous.caption if job.previous is not None else wanted
    there = file.read_bytes() if file.exists() else None
    if there is None:
        if wanted:
            with whole_file(file) as stream:
                stream.write(wanted.encode("utf-8"))
    elif there == wanted.encode("utf-8"):
        pass
    elif there != before.encode("utf-8"):
        return before, True
    elif wanted:
        with whole_file(file) as stream:
            stream.write(wanted.encode("utf-8"))
    else:
        file.unlink()
    return wanted, False


def _mask(job: CopyJob, output: Path) -> tuple[str, bool]:
    """The digest of the mask that we last wrote, and whether somebody painted over it."""
    file = (masks_folder(output) / job.name).with_suffix(MASK_SUFFIX)
    wanted = mask_bytes(job.plan, job.picture.width, job.picture.height)
    digest = hashlib.sha256(wanted).hexdigest()
    before = job.previous.mask if job.previous is not None else ""
    there = _digest(file) if file.exists() else None
    if there == digest:
        return digest, False
    if there is not None and there != before:
        return before, True
    with whole_file(file) as stream:
        stream.write(wanted)
    return digest, False


def _original_digest(path: Path) -> str:
    try:
        return _digest(path)
    except OSError as error:
        raise PictureError(path, f"it can't be read any more ({error.strerror})") from error


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
