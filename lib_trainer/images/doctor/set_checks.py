"""What is wrong with the set as a whole: how many pictures of what, how they fill batches, and what they share."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from lib_trainer.images.buckets import Size
from lib_trainer.images.doctor.backgrounds import same_backgrounds
from lib_trainer.images.doctor.case import Case
from lib_trainer.images.doctor.findings import Finding, Fix, Level, pictures
from lib_trainer.images.doctor.overlays import find_mark
from lib_trainer.images.pictures import Picture

# Pictures of a concept: what works by the experience of those who train (Guizmus' introduction to training).
ENOUGH = {"subject": (5, 20), "style": (50, 200)}
OF_EACH, IN_ALL = 20, 1000  # where many things are learned
CLASSES = (20, 100)  # class pictures for each picture of the subject
UNEVEN = 3.0  # times as often in an epoch
SHORT_BATCHES = 0.75
REPEATED = 0.4  # share of the pictures
FEWEST_ALIKE = 3
MOST_COPIES = 5000  # pictures that are compared for a mark
LARGEST_STEP = 256  # pixels, as the option allows
LONE_NAMED = 8


def concept_size(case: Case) -> Iterator[Finding]:
    """Too few pictures of a concept, or more than are of use."""
    learns = case.options.learns
    if learns == "many things":
        yield from _many_things(case)
        return
    least, most = ENOUGH[learns]
    for name, group in case.groups.items():
        count, where = len(group), f" in '{name}'" if name else ""
        files = [case.name(picture.path) for picture in group] if name else []
        if count < least:
            level: Level = "bad" if count < least / 2 else "warning"
            said = f"There {_are(count)}{where}; a {learns} needs {least} to {most}. Add more, each a different one."
            yield Finding("few", level, "Few pictures", said, files)
        elif count > most:
            said = (
                f"There are {count} pictures{where}; a {learns} is learned from {least} to {most}. More does no harm "
                "if all are good and different; the best of them are learned sooner."
            )
            yield Finding("many", "info", "Many pictures", said, files)


def class_size(case: Case) -> Iterator[Finding]:
    """Too few or very many class pictures."""
    if case.classes is None:
        return
    least, most = (times * len(case.pictures) for times in CLASSES)
    if not least <= case.classes <= most:
        few = case.classes < least
        said = (
            f"There {_are(case.classes)} of the class for "
            f"{len(case.pictures)} to learn; {least} to {most} work, which is {CLASSES[0]} to {CLASSES[1]} for each. "
            f"{'The training draws what is missing, as many as you tell it.' if few else 'Fewer save time.'}"
        )
        yield Finding("class", "warning" if few else "info", "Class pictures", said)


def uneven(case: Case) -> Iterator[Finding]:
    """Concepts that come much more often than others."""
    shown = {name: sum(case.showings(one) for one in group) for name, group in case.groups.items()}
    rarest, oftenest = min(shown, key=lambda name: shown[name]), max(shown, key=lambda name: shown[name])
    if shown[oftenest] >= UNEVEN * shown[rarest]:
        said = (
            f"An epoch shows {_called(oftenest)} {shown[oftenest]} times and {_called(rarest)} {shown[rarest]} times: "
            "the rare one is learned late or not at all. Training can repeat the smaller ones until all come equally."
        )
        files = [case.name(picture.path) for picture in case.groups[rarest]]
        fix = Fix("option", "Balance them in training", "train", {"dataset": {"balance": True}})
        yield Finding("uneven", "warning", "Uneven concepts", said, files, fix)


def lone_buckets(case: Case) -> Iterator[Finding]:
    """Training sizes that only one picture has."""
    by_size: dict[Size, list[Picture]] = defaultdict(list)
    for picture in case.pictures:
        by_size[case.sizes[picture.path]].append(picture)
    lone = {size: those[0] for size, those in sorted(by_size.items()) if len(those) == 1}
    if not lone or len(case.pictures) == 1:
        return
    told = {case.name(picture.path): f"{size[0]} x {size[1]}" for size, picture in lone.items()}
    sizes = ", ".join(list(told.values())[:LONE_NAMED]) + (" and more" if len(told) > LONE_NAMED else "")
    are = "1 picture is" if len(told) == 1 else f"{len(told)} pictures are"
    said = (
        f"{are} the only one of its training size ({sizes}), and so never in a batch with others. Crop "
        "to a size that others have, or let training use fewer sizes."
    )
    step = 2 * case.options.buckets.step
    fewer = {"step": step} if step <= min(case.options.buckets.resolution, LARGEST_STEP) else {"square": True}
    fix = Fix("option", "Use fewer sizes", "train", {"dataset": {"buckets": fewer}})
    level: Level = "warning" if case.options.batch_size > 1 else "info"
    yield Finding("lone size", level, "Sizes with one picture", said, list(told), fix, told)


def short_batches(case: Case) -> Iterator[Finding]:
    """A batch size that does not divide the pictures of each size."""
    batch = case.options.batch_size
    showings: Counter[Size] = Counter()
    for picture in case.pictures:
        showings[case.sizes[picture.path]] += case.showings(picture)
    missing = _fillers(showings, batch)
    if not missing:
        return
    total = sum(showings.values())
    batches = sum(-(-count // batch) for count in showings.values())
    short = sum(count % batch > 0 for count in showings.values())
    fits = next((size for size in range(batch - 1, 1, -1) if not _fillers(showings, size)), 1)
    sizes = "1 size" if len(showings) == 1 else f"{len(showings)} sizes"
    said = (
        f"{batch} pictures a batch do not divide the {total} of an epoch in {sizes}: {short} of {batches} batches stay "
        f"short; {missing} more would fill them. A short batch counts as a whole step, so its pictures weigh more."
    )
    level: Level = "warning" if total < SHORT_BATCHES * batch * batches else "info"
    fix = Fix("option", f"Train with batches of {fits}", "train", {"batch_size": fits})
    yield Finding("short batches", level, "Batches that stay short", said, [], fix)


def backgrounds(case: Case) -> Iterator[Finding]:
    """Many pictures of a concept before the same background."""
    for name, group in case.groups.items():
        seen = [(picture, case.examined[picture.path]) for picture in group if picture.path in case.examined]
        alike = same_backgrounds([examined.rim for _, examined in seen])
        most = alike[0] if alike else []
        if len(most) >= FEWEST_ALIKE and len(most) >= REPEATED * len(seen):
            where = f" of '{name}'" if name else ""
            said = (
                f"{len(most)} of {len(seen)} pictures{where} have much the same background, which is learned with the "
                "concept. Take others, or name the background in the captions."
            )
            files = [case.name(seen[number][0].path) for number in most]
            yield Finding("background", "warning", "Repeated backgrounds", said, files, Fix("list", "Show them"))


def marks(case: Case) -> Iterator[Finding]:
    """A mark at the same place in many pictures."""
    seen = [picture for picture in case.pictures if picture.path in case.examined][:MOST_COPIES]
    mark = find_mark([case.examined[picture.path].small for picture in seen])
    if mark is not None:
        files = [case.name(seen[number].path) for number in mark.pictures]
        said = (
            f"{len(files)} of {len(seen)} pictures bear the same mark {_place(mark.place)}, such as a watermark, and "
            "the model would draw it. Crop it away, or take others."
        )
        yield Finding("mark", "bad", "The same mark in many", said, files, Fix("step", "Crop copies", "prepare"))


def _many_things(case: Case) -> Iterator[Finding]:
    count = len(case.pictures)
    if count < IN_ALL:
        said = f"There are {count} pictures; to teach many things takes thousands, {OF_EACH} to 50 of each."
        yield Finding("few", "warning", "Few pictures", said)
    for name, group in case.groups.items():
        if name and len(group) < OF_EACH:
            files = [case.name(picture.path) for picture in group]
            said = f"There {_are(len(group))} in '{name}'; each thing needs {OF_EACH} to 50."
            yield Finding("few", "warning", "Few pictures", said, files)


def _are(count: int) -> str:
    return f"{'is' if count == 1 else 'are'} {pictures(count)}"


def _fillers(showings: Counter[Size], batch: int) -> int:
    return sum(-count % batch for count in showings.values())


def _called(name: str) -> str:
    return f"'{name}'" if name else "the pictures outside of folders"


def _place(place: Sequence[float]) -> str:
    left, top, right, bottom = place
    across = "left" if right <= 0.6 else "right" if left >= 0.4 else ""
    down = "at the top" if bottom <= 0.6 else "at the bottom" if top >= 0.4 else ""
    if not across and not down:
        return "in the middle"
    return " ".join(part for part in (down or "in the middle of the height", across) if part)
