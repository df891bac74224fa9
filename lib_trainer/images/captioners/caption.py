"""The step `caption`: a sentence, tags or both for each picture of a folder, written beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from lib_trainer.core.errors import ConfigError, DataError, StopRequested
from lib_trainer.core.events import Notice, Table
from lib_trainer.core.host_desk import DeclinedError, HostDesk
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.images.captioners.base import Device, LoadedDescriber, LoadedTagger
from lib_trainer.images.captioners.caption_files import RESULTS, Deed, Result, Results, caption_file, content, put
from lib_trainer.images.captioners.options import CaptioningOptions
from lib_trainer.images.captioners.tag_words import words_of
from lib_trainer.images.captioners.wording import Said, added, worded
from lib_trainer.images.captions import CAPTION_SUFFIXES
from lib_trainer.images.encodings import read_text_file
from lib_trainer.images.folder import scan
from lib_trainer.images.looking import picture_progress
from lib_trainer.images.metadata import METADATA_FILE
from lib_trainer.images.options import CaptionOptions
from lib_trainer.images.pictures import Picture
from lib_trainer.images.pixels import PictureError, colour, open_picture
from lib_trainer.images.threads import in_threads

OWN = (*CAPTION_SUFFIXES, METADATA_FILE)  # captions that somebody wrote for this picture
NAMED_AT_MOST = 10
TAGS_SHOWN = 20
WHERE = {"cuda": "the graphics card", "cpu": "the processor", "webui": "the WebUI's device"}
Item = TypeVar("Item")


@dataclass(frozen=True)
class Captioners:
    """The models in memory."""

    describer: LoadedDescriber | None
    tagger: LoadedTagger | None


@dataclass(frozen=True)
class Prepared:
    """One picture as each of the models takes it, or why it can't be used."""

    picture: Picture
    for_describer: Any = None
    for_tagger: Any = None
    problem: str = ""


def caption(options: CaptioningOptions, run: RunDirectory) -> dict[str, Any]:
    """Write the captions; returns `{"folder", "written", "kept", "failed", "results"}`.

    `results` is a file of the run with a line for each picture; a run that is begun again goes on behind it. Asked to
    stop, it ends after the pictures that the models see at the moment.

    Raises:
        ConfigError: two options contradict each other, or a WebUI is to say something and there is none.
        DataError: there is no such folder, or none of the pictures in it.
        ModelError: a model is missing or can't be used.
    """
    options.check()
    colour(options.background)
    pictures = _pictures(options)
    results = Results.of(run)
    todo = []
    for picture in pictures:
        if results.is_done(_name(picture, options)):
            continue
        if options.existing == "skip" and _has_caption(picture):
            results.add(Result(_name(picture, options), "kept", why="it has a caption"))
        else:
            todo.append(picture)
    if todo:
        _caption_all(todo, len(pictures), options, results)
    return _told(pictures, options, results)


def _pictures(options: CaptioningOptions) -> list[Picture]:
    """The pictures that are asked for, as far as their names say; whether each can be opened shows later."""
    found = scan(options.folder, CaptionOptions(), look=lambda path: (0, 0))
    if not options.only:
        return found.pictures
    named = {_name(picture, options): picture for picture in found.pictures}
    missing = [name for name in options.only if name not in named]
    if missing:
        raise DataError(f"There is no picture {missing[0]!r} in {options.folder}; look through the folder again.")
    return [named[name] for name in dict.fromkeys(options.only)]


def _name(picture: Picture, options: CaptioningOptions) -> str:
    return picture.path.relative_to(options.folder).as_posix()


def _has_caption(picture: Picture) -> bool:
    return bool(picture.caption) and picture.caption_source in OWN


def _caption_all(todo: list[Picture], total: int, options: CaptioningOptions, results: Results) -> None:
    run = results.run
    captioners = _load(options, run)
    tell = picture_progress(run, "Captioning")
    done = total - len(todo)
    tell(done, total)
    work = partial(_prepare, captioners=captioners, background=options.background)
    with suppress(StopRequested), closing(in_threads(work, todo, run.stop_requested)) as prepared:
        for batch in _batches(prepared, options.batch_size):
            for one, said in _said(batch, captioners, options):
                _write(one, said, options, results)
                done += 1
            tell(done, total)
            if run.stop_requested():
                break


def _load(options: CaptioningOptions, run: RunDirectory) -> Captioners:
    device, desk = _device(options), HostDesk(run)
    captioners = Captioners(options.describer.load(device, desk), options.tagger.load(device, desk))
    for what, told, loaded in (
        ("Sentences", options.describer.told_model, captioners.describer),
        ("Tags", options.tagger.told_model, captioners.tagger),
    ):
        if loaded is not None:
            run.append(Notice(f"{what} come from {told}, on {WHERE[loaded.where]}."))
    return captioners


def _device(options: CaptioningOptions) -> Device:
    """The device for the models.

    Raises:
        ConfigError: a graphics card is asked for, and there is none.
    """
    if options.device == "cpu":
        return "cpu"
    import torch

    if options.device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if not torch.cuda.is_available():
        raise ConfigError("'device' is 'cuda', but there is no graphics card that can be used; take 'auto' or 'cpu'.")
    return "cuda"


def _prepare(picture: Picture, captioners: Captioners, background: str) -> Prepared:
    try:
        image = open_picture(picture.path, background)
    except PictureError as error:
        return Prepared(picture, problem=error.reason)
    try:
        return Prepared(
            picture,
            captioners.describer.prepare(image) if captioners.describer is not None else None,
            captioners.tagger.prepare(image) if captioners.tagger is not None else None,
        )
    except DeclinedError as error:
        return Prepared(picture, problem=f"the WebUI could not look at it ({error})")


def _batches(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    while batch := list(islice(items, size)):
        yield batch


def _said(
    batch: Sequence[Prepared], captioners: Captioners, options: CaptioningOptions
) -> Iterator[tuple[Prepared, Said]]:
    good = [one for one in batch if not one.problem]
    sentences = [""] * len(good)
    tags: list[list[str]] = [[] for _ in good]
    if good and captioners.describer is not None:
        sentences = captioners.describer.describe([one.for_describer for one in good])
    if good and captioners.tagger is not None:
        seen = captioners.tagger.tag([one.for_tagger for one in good])
        tags = [words_of(each, options.tags) for each in seen]
    said = iter([Said(sentence, tuple(words)) for sentence, words in zip(sentences, tags, strict=True)])
    for one in batch:
        yield one, Said() if one.problem else next(said)


def _write(one: Prepared, said: Said, options: CaptioningOptions, results: Results) -> None:
    """Write one caption and note what became of it; what was there is noted before."""
    name = _name(one.picture, options)
    file = caption_file(one.picture, options.extension)
    if one.problem:
        results.fail(name, one.problem)
    elif results.owner(file) not in (None, name):
        results.fail(name, f"it shares its caption file {file.name} with {results.owner(file)}; rename one of them")
    else:
        try:
            before = content(file)
            new = _joined(one.picture, said, file, before, options)
            did: Deed = "shown" if options.dry_run else "written"
            results.add(Result(name, did, new, before, str(file), "", said.sentence, list(said.tags)))
            if not options.dry_run:
                put(file, new)
        except OSError as error:
            results.fail(name, f"{file.name} can't be written: {error.strerror or error}")
        except DataError as error:
            results.fail(name, str(error))


def _joined(picture: Picture, said: Said, file: Path, before: str | None, options: CaptioningOptions) -> str:
    """The new content of the caption file.

    Raises:
        DataError: there is nothing to write, or what is there can't be read and is to be kept.
    """
    new = worded(said, options.wording, picture.path)
    if not new:
        raise DataError("nothing was said about it")
    if options.existing == "overwrite":
        return new
    is_empty = not (before or "").strip()
    if not is_empty and not _has_caption(picture):
        raise DataError(f"what {file.name} holds can't be read, so it was left alone")
    if options.existing == "skip" or not _has_caption(picture):
        return new
    old = picture.caption if is_empty else read_text_file(file).text
    return added(old, new, options.existing, options.wording.trigger)


def _told(pictures: list[Picture], options: CaptioningOptions, results: Results) -> dict[str, Any]:
    """The events and the result at the end."""
    known = [results.known[name] for picture in pictures if (name := _name(picture, options)) in results.known]
    failed = [result for result in known if result.did == "failed"]
    for result in failed[:NAMED_AT_MOST]:
        results.run.append(Notice(f"{result.file} has no new caption: {result.why}.", level="warning"))
    if len(failed) > NAMED_AT_MOST:
        results.run.append(Notice(f"{len(failed) - NAMED_AT_MOST} more have no new caption.", level="warning"))
    tags = Counter(tag for result in known for tag in result.tags)
    if tags:
        rows = [[tag, str(count)] for tag, count in tags.most_common(TAGS_SHOWN)]
        results.run.append(Table("Most frequent tags", ["Tag", "Pictures"], rows))
    counts = Counter(result.did for result in known)
    return {
        "folder": str(options.folder),
        "written": counts["written"],
        "shown": counts["shown"],
        "kept": counts["kept"],
        "failed": len(failed),
        "results": RESULTS,
    }
