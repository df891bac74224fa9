"""The step `reword`: captions of a folder after rules, shown as differences, written on demand, taken back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lib_trainer.core.errors import ConfigError, DataError, OutputError, StopRequested
from lib_trainer.core.events import Notice, Table
from lib_trainer.core.places import data_folder
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.core.whole_files import write_text
from lib_trainer.images.caption_history import CaptionHistory, Change, Outcome, content
from lib_trainer.images.folder import scan
from lib_trainer.images.pictures import Picture
from lib_trainer.images.rewording import about_picture, caption_file, file_content, reworded
from lib_trainer.images.wording.options import RewordOptions
from lib_trainer.images.wording.rule import Rule
from lib_trainer.images.wording.rules import read_rules

DIFFERENCES = "differences.jsonl"
MOST_ROWS = 100
LONGEST_CELL = 300

Told = list[tuple[Picture, str]]


def reword(options: RewordOptions, run: RunDirectory) -> dict[str, Any]:
    """Show what rules would change, and write it if asked; returns `{"pictures", "changed", "written", "left"}`.

    Every difference lies in the run's folder as a line of `differences.jsonl`: file, before, after.

    Raises:
        ConfigError: a rule can't be read, or there is none.
        DataError: there is no such folder, or no picture in it.
        OutputError: the disk refuses.
    """
    history = CaptionHistory(data_folder(), options.folder)
    if options.undo:
        return _undone(history, options, run)
    rules = _rules(options)
    if options.captions.source != "files":
        raise ConfigError(f"'captions.source' is '{options.captions.source}'; only captions in files can be reworded.")
    try:
        pictures = scan(options.folder, options.captions, lambda *_: _stop_if_asked(run), lambda _: (1, 1)).pictures
        told = _told(rules, pictures)
        _show(told, options, run)
        left = _written(told, history, options, run) if options.write else {}
    except StopRequested:
        return {}
    done = len(told) - len(left) if options.write else 0
    return {"pictures": len(pictures), "changed": len(told), "written": done, "left": len(left)}


def _stop_if_asked(run: RunDirectory) -> None:
    if run.stop_requested():
        raise StopRequested


def _rules(options: RewordOptions) -> list[Rule]:
    tables: list[Any] = []
    if options.rules_file is not None:
        try:
            found = json.loads(options.rules_file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(f"'rules_file' is {options.rules_file}, which can't be read ({error}).") from error
        tables += found if isinstance(found, list) else [found]
    tables += [_table(text) for text in options.rules]
    if not tables:
        raise ConfigError("'rules' is empty; give at least one, such as: --rules underscores dedupe.")
    return read_rules(tables)


def _table(text: str) -> Any:
    if not text.lstrip().startswith("{"):
        return {"kind": text.strip()}
    try:
        return json.loads(text)
    except ValueError as error:
        raise ConfigError(f"'rules' has {text!r}, which is no valid table ({error}); mend it.") from error


def _told(rules: list[Rule], pictures: list[Picture]) -> Told:
    def about(place: int) -> Any:
        return about_picture(pictures[place].path, pictures[place].caption_source)

    texts = reworded(rules, [picture.caption for picture in pictures], about)
    return [(picture, text) for picture, text in zip(pictures, texts, strict=True) if text != picture.caption]


def _show(told: Told, options: RewordOptions, run: RunDirectory) -> None:
    """A table of the first differences, and a file of all."""
    each = [(picture.path.relative_to(options.folder).as_posix(), picture.caption, text) for picture, text in told]
    lines = [json.dumps({"file": file, "before": before, "after": after}) + "\n" for file, before, after in each]
    try:
        write_text(run.path / DIFFERENCES, "".join(lines))
    except OSError as error:
        raise OutputError(f"{run.path / DIFFERENCES} can't be written ({error}); make room there.") from error
    rows = [[file, before[:LONGEST_CELL], after[:LONGEST_CELL]] for file, before, after in each[:MOST_ROWS]]
    if len(each) > MOST_ROWS:
        rows.append([f"and {len(each) - MOST_ROWS} more in {DIFFERENCES}", "", ""])
    run.append(Table("Captions that change", ["File", "Before", "After"], rows))
    if told and not options.write:
        run.append(Notice(f"{len(told)} captions would change; nothing was written. Add --write to write them."))


def _written(told: Told, history: CaptionHistory, options: RewordOptions, run: RunDirectory) -> dict[Path, str]:
    changes: dict[Path, Change] = {}
    left: dict[Path, str] = {}
    for picture, text in told:
        file = caption_file(picture.path, picture.caption_source).absolute()
        try:
            changes.setdefault(file, Change(file, content(file), file_content(file, text, options.captions.lines)))
        except (OSError, DataError) as error:
            left[file] = f"it was left ({error})"
    _stop_if_asked(run)
    outcome = history.write("Reworded on the command line", list(changes.values())) if changes else Outcome()
    left.update(outcome.left)
    _tell_left(left, run)
    return left


def _undone(history: CaptionHistory, options: RewordOptions, run: RunDirectory) -> dict[str, Any]:
    outcome = history.undo()
    if outcome is None:
        raise DataError(f"No change of the captions in {options.folder} is left to take back.")
    _tell_left(outcome.left, run)
    run.append(Notice(f"Taken back: {outcome.title} ({len(outcome.done)} captions)."))
    return {"taken_back": len(outcome.done), "left": len(outcome.left)}


def _tell_left(left: dict[Path, str], run: RunDirectory) -> None:
    for file, why in list(left.items())[:MOST_ROWS]:
        run.append(Notice(f"{file}: {why}.", level="warning"))
