"""Captions changed on the page: one by hand or many by rules, noted so that they can be taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lib_trainer.core.errors import DataError, OutputError
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.images.caption_history import CHANGED_SINCE, Change, Outcome, content
from lib_trainer.images.captions import CAPTION_SUFFIXES
from lib_trainer.images.rewording import about_picture, file_content
from lib_trainer.images.rewording import reworded as words_after
from lib_trainer.images.wording.rules import read_rules
from lib_trainer.images.wording.search import search
from lib_trainer.ui.caption_store import CaptionStore, Entry, FolderCaptions
from lib_trainer.ui.web import Refused


@dataclass(frozen=True)
class Selection:
    """Which pictures are meant: the files that are named, or all that fit a search."""

    files: tuple[str, ...] | None = None
    query: str = ""

    def numbers(self, captions: FolderCaptions) -> list[int]:
        """Their numbers, in the order of the gallery.

        Raises:
            ConfigError: the search can't be understood.
        """
        found = search(self.query, captions) if self.query.strip() else set(captions.entries)
        if self.files is not None:
            found &= {captions.numbers[name] for name in self.files if name in captions.numbers}
        return sorted(found)


@dataclass
class Changed:
    """What an act did to a folder's captions."""

    title: str
    done: list[str] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)


def reworded(captions: FolderCaptions, numbers: Sequence[int], rules: Any) -> list[tuple[Entry, str]]:
    """The captions that rules would change, and what they would become; each line is a caption where any counts.

    Raises:
        ConfigError: something is no rule, or can't be applied.
    """
    entries = [captions.entries[number] for number in numbers]
    told = words_after(read_rules(rules), [entry.text for entry in entries],
                       lambda place: about_picture(entries[place].picture, entries[place].source))  # fmt: skip
    return [(entry, text) for entry, text in zip(entries, told, strict=True) if text != entry.text]


def rewrite(
    store: CaptionStore, run: RunDirectory, told: Sequence[tuple[Entry, str]], title: str, seen: int | None = None
) -> Changed:
    """Write captions as one act that can be taken back.

    `seen` is the revision of the captions that the user saw; what another program changed since then is left.

    Raises:
        OutputError: the act can't be noted; nothing was written then.
    """
    captions = store.of(run, look=False)
    changed, changes = Changed(title), dict[Path, Change]()
    for entry, text in told:
        is_newer = seen is not None and entry.revision > seen
        if is_newer or not captions.is_as_read(entry.file):
            changed.left[entry.name] = CHANGED_SINCE
            continue
        try:
            _check_there(entry)
            after = file_content(entry.file, text, captions.options.lines)
            changes.setdefault(entry.file, Change(entry.file, content(entry.file), after))
        except (OSError, DataError, Refused) as error:
            changed.left[entry.name] = f"it was left ({error})"
    if changes:
        _note_outcome(changed, captions, captions.history.write(title, list(changes.values())))
        store.refresh(run, list(changes))
    return changed


def write_caption(store: CaptionStore, run: RunDirectory, n: int, text: str, seen: int | None = None) -> None:
    """Write the caption of picture `n` to NAME.txt beside it, or to NAME.caption if it came from there.

    Raises:
        Refused: there is no such picture (any more), captions are not read from files, or the text can't be written.
        OutputError: the disk refuses.
    """
    file_content(Path(), text, "any")  # complains of what can't be written
    entry = _entry(store.of(run, look=False), n)
    _check_there(entry)
    changed = rewrite(store, run, [(entry, text.strip())], f"Caption of {entry.name}", seen)
    if why := changed.left.get(entry.name):
        store.refresh(run)  # so that the page can show what it is now
        raise (Refused(f"{entry.file}: {why}.", 409) if why == CHANGED_SINCE else OutputError(f"{entry.file}: {why}."))


def undo_caption(store: CaptionStore, run: RunDirectory, n: int) -> None:
    """Take back the last change of the caption of picture `n`.

    Raises:
        Refused: there is nothing to take back, or somebody has changed the file since (409).
        OutputError: the disk refuses.
    """
    captions = store.of(run, look=False)
    entry = _entry(captions, n)
    _check_there(entry)
    beside = [entry.picture.with_suffix(suffix) for suffix in CAPTION_SUFFIXES]
    outcome = captions.history.undo_file(beside)
    if outcome is None:
        raise Refused("No change of this caption is left to take back.", 409)
    for file, why in outcome.left.items():
        raise Refused(f"{file}: {why}.", 409)
    store.refresh(run, beside)


def turn(store: CaptionStore, run: RunDirectory, back: bool) -> Changed:
    """Take the last act back, or do again what was taken back last.

    Raises:
        Refused: there is nothing (409).
        OutputError: the disk refuses.
    """
    captions = store.of(run, look=False)
    outcome = captions.history.undo() if back else captions.history.redo()
    if outcome is None:
        raise Refused("There is nothing left to take back." if back else "Nothing was taken back last.", 409)
    changed = Changed(outcome.title)
    _note_outcome(changed, captions, outcome)
    store.refresh(run, outcome.done)
    return changed


def _entry(captions: FolderCaptions, n: int) -> Entry:
    if n not in captions.entries:
        raise Refused(f"There is no picture {n} that can be used; look at the folder again.", 404)
    return captions.entries[n]


def _check_there(entry: Entry) -> None:
    if not entry.picture.is_file():
        raise Refused(f"{entry.picture} is not there any more; look through the folder again.", 404)


def _note_outcome(changed: Changed, captions: FolderCaptions, outcome: Outcome) -> None:
    done = {number for file in outcome.done for number in captions.captioned_by(file)}
    changed.done += [captions.entries[number].name for number in sorted(done)]
    for file, why in outcome.left.items():
        changed.left.update((captions.entries[number].name, why) for number in captions.captioned_by(file))
