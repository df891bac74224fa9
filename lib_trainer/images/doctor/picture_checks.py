"""What is wrong with single pictures, by what was measured of them; the limits were tried on photos and altered ones.

`benchmarks/picture_checks.py` shows how many of either each limit finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from lib_trainer.images.buckets import part_shown
from lib_trainer.images.doctor.case import Case
from lib_trainer.images.doctor.examining import Examined
from lib_trainer.images.doctor.findings import Finding, Fix, pictures, pictures_are, pictures_have
from lib_trainer.images.pictures import Picture
from lib_trainer.images.repeat_folders import repeat_folder
from lib_trainer.images.suffixes import PICTURE_SUFFIXES

SOFT = 0.5  # sharp photos have 0.59 and more, those blurred by a pixel at most 0.49
NOISY = 4.4  # grey levels; photos have at most 3.7
LETTERS = 6.0  # strokes
ENLARGED = 1.25
LOST = 0.2  # share of the picture
CLEAR = 0.001

TO_BIN = Fix("bin", "Move them to the bin")
TO_CROP = Fix("step", "Crop copies", step="prepare")


def corrupt(case: Case) -> Iterator[Finding]:
    """Files that can't be read as pictures."""
    named = [one for one in case.found.skipped if one.path.suffix.lower() in PICTURE_SUFFIXES]
    skipped = [one for one in named if not _unasked(case, one.path)]
    if skipped:
        told = {case.name(one.path): one.reason for one in skipped}
        are = "1 file is" if len(told) == 1 else f"{len(told)} files are"
        said = f"{are} damaged or can't be used as a picture; training goes without."
        yield Finding("corrupt", "bad", "Damaged files", said, list(told), TO_BIN, told)


def other_kinds(case: Case) -> Iterator[Finding]:
    """Pictures in formats that can't be read."""
    skipped = [one for one in case.found.skipped if one.path.suffix.lower() not in PICTURE_SUFFIXES and one.path.suffix]
    if skipped:
        told = {case.name(one.path): one.reason for one in skipped}
        are = "1 file is" if len(told) == 1 else f"{len(told)} files are"
        said = f"{are} of a kind that can't be read; save them as JPEG or PNG, or leave them out."
        yield Finding("other kind", "warning", "Files of other kinds", said, list(told), Fix("list", "Show them"), told)


def small(case: Case) -> Iterator[Finding]:
    """Pictures that training would have to enlarge much."""
    told = {}
    for picture in case.pictures:
        wide, high = case.sizes[picture.path]
        times = max(wide / picture.width, high / picture.height)
        if times >= ENLARGED:
            told[case.name(picture.path)] = f"{picture.width} x {picture.height}, enlarged {times:.1f}x"
    if told:
        said = (
            f"{pictures_are(len(told))} much smaller than the training size and would be enlarged, which teaches the "
            "model to draw softly; find larger ones, or train them at their own size."
        )
        config = {"dataset": {"buckets": {"no_upscale": True}}}
        fix = Fix("option", "Train small ones at their own size", "train", config)
        yield Finding("small", "warning", "Too small", said, list(told), fix, told)


def blurred(case: Case) -> Iterator[Finding]:
    """Pictures without anything sharp in them."""
    said = "blurred even at the sharpest place; the model would learn the blur."
    yield from _measured(
        case, "blurred", "Blurred", said, lambda one: f"sharpness {one.sharpness:.2f} of about 0.8", is_soft
    )


def noisy(case: Case) -> Iterator[Finding]:
    """Pictures with much grain."""
    said = "noisy; the model would learn the grain."
    yield from _measured(case, "noisy", "Noisy", said, lambda one: f"noise {one.noise:.1f} of 255", is_noisy)


def lettered(case: Case) -> Iterator[Finding]:
    """Pictures with what looks like a line of letters."""
    told = {case.name(one.path): "a line of letters" for one, seen in _examined(case) if is_lettered(seen)}
    if told:
        said = (
            f"{pictures(len(told))} may bear letters, such as a watermark, a caption or a date, which the model would "
            "draw as scribble; look at them, crop the letters away or take the pictures out."
        )
        yield Finding("letters", "warning", "Letters in the picture", said, list(told), TO_CROP, told)


def bordered(case: Case) -> Iterator[Finding]:
    """Pictures with even bars at their edges."""
    told = {}
    for one, seen in _examined(case):
        if max(seen.borders):
            sides = zip(("left", "top", "right", "bottom"), seen.borders, strict=True)
            told[case.name(one.path)] = ", ".join(f"{side} {share:.0%}" for side, share in sides if share)
    if told:
        said = f"{pictures_have(len(told))} even bars at the edges, which the model would draw as well; crop them away."
        yield Finding("borders", "warning", "Borders", said, list(told), TO_CROP, told)


def odd_shape(case: Case) -> Iterator[Finding]:
    """Pictures that no training size fits."""
    told = {}
    for picture in case.pictures:
        left, top, right, bottom = part_shown(picture.width, picture.height, case.sizes[picture.path])
        lost = 1 - (right - left) * (bottom - top) / (picture.width * picture.height)
        if lost > LOST:
            told[case.name(picture.path)] = f"{picture.width} x {picture.height}, loses {lost:.0%}"
    if told:
        said = (
            f"{pictures_are(len(told))} of a shape that no training size fits: more than a fifth of each is cut away. "
            "Choose yourself what is kept."
        )
        yield Finding("shape", "warning", "Odd shapes", said, list(told), TO_CROP, told)


def turned(case: Case) -> Iterator[Finding]:
    """Pictures whose file asks viewers to turn them."""
    told = {case.name(one.path): "turned by EXIF" for one, seen in _examined(case) if seen.turned}
    if told:
        said = (
            f"{pictures_are(len(told))} stored lying down with a note to turn them (EXIF). Here they are turned; other "
            "programs may forget it. Prepared copies are upright everywhere."
        )
        yield Finding("turned", "info", "Turned by EXIF", said, list(told), Fix("step", "Make copies", "prepare"), told)


def transparent(case: Case) -> Iterator[Finding]:
    """Pictures that are not opaque everywhere."""
    told = {case.name(one.path): f"{seen.clear:.0%} of it" for one, seen in _examined(case) if seen.clear > CLEAR}
    if told:
        said = (
            f"{pictures_are(len(told))} partly transparent. The model would learn the colour behind them, which is "
            f"{case.options.background}; or it learns only what is opaque."
        )
        fix = Fix("option", "Learn only what is opaque", "train", {"dataset": {"masks": {"transparency": True}}})
        yield Finding("transparent", "info", "Transparent", said, list(told), fix, told)


def is_soft(seen: Examined) -> bool:
    """Whether nothing in a picture is sharp."""
    return seen.sharpness is not None and seen.sharpness < SOFT


def is_noisy(seen: Examined) -> bool:
    """Whether a picture has much grain."""
    return seen.noise > NOISY


def is_lettered(seen: Examined) -> bool:
    """Whether something in a picture looks like a line of letters."""
    return seen.lettering >= LETTERS


def _unasked(case: Case, path: Path) -> bool:
    """Whether a file was left out because its folder's name asks for it."""
    hint = repeat_folder(case.found.folder, path)
    return hint is not None and hint.repeats == 0


def _examined(case: Case) -> Iterator[tuple[Picture, Examined]]:
    for picture in case.pictures:
        seen = case.examined.get(picture.path)
        if seen is not None:
            yield picture, seen


def _measured(
    case: Case, kind: str, title: str, said: str, tell: Callable[[Examined], str], holds: Callable[[Examined], bool]
) -> Iterator[Finding]:
    """The finding of pictures that had better not be trained on."""
    told = {case.name(one.path): tell(seen) for one, seen in _examined(case) if holds(seen)}
    if told:
        yield Finding(kind, "warning", title, f"{pictures_are(len(told))} {said}", list(told), TO_BIN, told)
