"""What the user is told of a prompt log before anything is taken: as tables in the terminal, as a file for the page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lib_trainer.core.errors import OutputError
from lib_trainer.core.events import Notice, Table
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.core.whole_files import write_text
from lib_trainer.images.promptlog.selection import Selection

OVERVIEW = "promptlog.json"
MOST_ROWS = 40
LONGEST = 200  # letters of a caption in a table
LISTS = {
    "words": ("Most frequent words", ["Word", "Prompts"]),
    "users": ("Most active users", ["User", "Messages"]),
    "parameters": ("Most frequent parameters", ["Parameter", "Prompts"]),
    "shapes": ("Shapes (--ar)", ["Shape", "Prompts"]),
    "lengths": ("Lengths", ["Words", "Prompts"]),
}


def describe_log(files: list[dict[str, Any]], selection: Selection, run: RunDirectory) -> dict[str, Any]:
    """Tell counts, rejects and the overview, and leave them in the run's folder as `promptlog.json`; returns that.

    Raises:
        OutputError: the file can't be written.
    """
    counts = [{"title": count.title, "left": count.left} for count in selection.counts]
    told = {"files": files, "counts": counts, "pictures": selection.pictures, **selection.overview()}
    run.append(_counts(told))
    run.append(_sample(told))
    for name, (title, columns) in LISTS.items():
        rows = [[str(value), str(times)] for value, times in told[name]]
        if rows:
            run.append(Table(title, columns, rows))
    for file in files:
        _tell_rejects(file, run)
    path = run.path / OVERVIEW
    try:
        write_text(path, json.dumps(told))
    except OSError as error:
        raise OutputError(f"{path} can't be written ({error}); make room there.") from error
    return told


def _counts(told: dict[str, Any]) -> Table:
    rows, before = [], None
    rejected = sum(sum(file["rejected"].values()) for file in told["files"])
    for count in told["counts"]:
        dropped = "" if before is None else str(before - count["left"])
        rows.append([count["title"], str(count["left"]), dropped])
        before = count["left"]
    rows.insert(0, ["Rows that can't be read", str(rejected), ""])
    rows.append(["Pictures that they link to", str(told["pictures"]), ""])
    return Table("What the filters leave", ["", "Left", "Dropped here"], rows)


def _sample(told: dict[str, Any]) -> Table:
    rows = [
        [each["caption"][:LONGEST], each["user"], each["day"], " ".join(each["parameters"])]
        for each in told["sample"]
    ]
    return Table("Sample", ["Caption", "User", "Day", "Parameters"], rows)


def _tell_rejects(file: dict[str, Any], run: RunDirectory) -> None:
    name = Path(file["file"]).name
    if file["encoding"] not in ("utf-8", "utf-8-sig"):
        run.append(Notice(f"{name} is not UTF-8 and was read as {file['encoding']}."))
    if not file["rejected"]:
        return
    reasons = ", ".join(f"{count} with {reason}" for reason, count in file["rejected"].items())
    total = sum(file["rejected"].values())
    run.append(Notice(f"{total} rows of {name} can't be read and are left out: {reasons}.", level="warning"))
    rows = [[str(each["line"]), each["reason"], each["text"]] for each in file["rejects"][:MOST_ROWS]]
    if total > len(rows):
        rows.append(["", f"and {total - len(rows)} more", ""])
    run.append(Table(f"Rows of {name} that are left out", ["Line", "Reason", "It begins"], rows))
