"""The pictures of a prompt log, taken into a folder: from their links or from a folder of the user's, with captions."""

from __future__ import annotations

import csv
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lib_trainer.core.errors import ConfigError, DataError, OutputError
from lib_trainer.core.events import Notice, Progress, Saved, Table
from lib_trainer.core.file_lock import file_lock
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.core.whole_files import remove, remove_leftovers
from lib_trainer.images.promptlog.addresses import VARIABLE, told_hosts
from lib_trainer.images.promptlog.fetching import Fetcher, Part
from lib_trainer.images.promptlog.ledger import Ledger
from lib_trainer.images.promptlog.local import copy_local, list_folder, located
from lib_trainer.images.promptlog.many import Outcome, take_all
from lib_trainer.images.promptlog.options import PromptLogOptions
from lib_trainer.images.promptlog.outcomes import NotTaken
from lib_trainer.images.promptlog.selection import WORK, Selection, Wanted
from lib_trainer.images.promptlog.taking import PARTS, Bring, Taker

LOCK = ".promptlog.lock"
LOCK_SECONDS = 5.0
LEFT_OUT = "left-out.csv"
PROGRESS_SECONDS = 0.5
NAMED = 40  # pictures left out that are told one by one


@dataclass
class Tally:
    """What became of the pictures so far."""

    new: int = 0
    known: int = 0
    captions_kept: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    named: list[list[str]] = field(default_factory=list)

    @property
    def left_out(self) -> int:
        return sum(self.reasons.values())

    @property
    def done(self) -> int:
        return self.new + self.known + self.left_out

    def add(self, outcome: Outcome) -> None:
        if outcome.taken is None:
            self.reasons[outcome.reason] += 1
            if len(self.named) < NAMED:
                self.named.append([outcome.wanted.link, outcome.reason])
        else:
            self.new += outcome.taken.is_new
            self.known += not outcome.taken.is_new
            self.captions_kept += outcome.taken.caption_kept


def check_pictures(options: PromptLogOptions) -> None:
    """See that the options of taking pictures fit together.

    Raises:
        ConfigError: they don't.
    """
    if options.pictures == "folder" and options.folder is None:
        raise ConfigError("'folder' is empty; choose the folder with the pictures, or take 'pictures' from elsewhere.")


def output_of(options: PromptLogOptions, files: list[Path]) -> Path:
    """Where the pictures go.

    Raises:
        DataError: that is inside the folder from which they come, or the other way round.
    """
    output = options.output or files[0].parent / f"{files[0].stem}-pictures"
    if options.folder is not None and options.pictures == "folder":
        inner, outer = options.folder.resolve(), output.resolve()
        if inner == outer or inner in outer.parents or outer in inner.parents:
            raise DataError(f"The pictures would go to {output}, which overlaps with 'folder'; choose another.")
    return output


def take_pictures(options: PromptLogOptions, chosen: Selection, output: Path, run: RunDirectory) -> dict[str, Any]:
    """Bring the folder up to date; what it lacks at the end is told, and stands in `left-out.csv` in the run's folder.

    Raises:
        OutputError: the disk refuses, or another run works on that folder.
    """
    total = chosen.pictures if options.most is None else min(options.most, chosen.pictures)
    try:
        (output / PARTS).mkdir(parents=True, exist_ok=True)
        with file_lock(output / LOCK, LOCK_SECONDS) as ours:
            if not ours:
                raise OutputError(f"Another run puts pictures into {output}; wait for its end.")
            remove_leftovers(output)
            tally = _take(options, chosen, output, run, total)
    except (OSError, sqlite3.Error) as error:
        raise OutputError(f"Pictures can't be put into {output} ({error}); make room, or choose another.") from error
    _report(tally, output, run)
    if tally.done == total:
        run.append(Saved("pictures", str(output)))
    return {"folder": str(output), "taken": tally.new, "known": tally.known, "left_out": tally.left_out}


def _take(options: PromptLogOptions, chosen: Selection, output: Path, run: RunDirectory, total: int) -> Tally:
    tally, ledger, told = Tally(), Ledger(output), 0.0
    try:
        wanted, bring = _source(options, chosen, ledger, run)
        taker = Taker(output, options, ledger, bring)
        with _left_out_file(run) as left_out:
            for outcome in take_all(wanted, taker.take, options.download, run.stop_requested):
                tally.add(outcome)
                if outcome.taken is None:
                    left_out.writerow([outcome.wanted.link, outcome.reason])
                if tally.done == total or time.monotonic() - told > PROGRESS_SECONDS:
                    told = time.monotonic()
                    run.append(Progress("Taking pictures", tally.done, total, "pictures"))
        if tally.done == total:
            remove(output / PARTS)
        ledger.write_sources()
    finally:
        ledger.close()
    return tally


def _source(
    options: PromptLogOptions, chosen: Selection, ledger: Ledger, run: RunDirectory
) -> tuple[Iterator[Wanted], Bring]:
    """The pictures in their order, and what brings one."""
    wanted = chosen.wanted(options.most)
    if options.pictures == "folder" and options.folder is not None:
        run.append(Progress("Looking for the pictures", 0, 0))
        twice = list_folder(chosen.connection, options.folder, run.path / WORK)
        if twice:
            said = f"{twice} file names stand in {options.folder} more than once; the first path of each is taken."
            run.append(Notice(said, level="warning"))
        return located(chosen.connection, wanted), copy_local
    allowed = told_hosts()
    if allowed:
        said = f"{VARIABLE} allows pictures from {', '.join(sorted(allowed))}, also in a private network."
        run.append(Notice(said, level="warning"))
    fetcher = Fetcher(options.download, ledger, allowed, run.stop_requested)

    def bring(each: Wanted, part: Part) -> None:
        if not each.link.lower().startswith(("http://", "https://")):
            raise NotTaken("its link is no web address")
        fetcher.fetch(each.link, part)

    return wanted, bring


@contextmanager
def _left_out_file(run: RunDirectory) -> Iterator[Any]:
    with (run.path / LEFT_OUT).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["link", "reason"])
        yield writer


def _report(tally: Tally, output: Path, run: RunDirectory) -> None:
    if tally.captions_kept:
        said = f"{tally.captions_kept} captions in {output} were changed by somebody and are left so."
        run.append(Notice(said, level="warning"))
    if not tally.left_out:
        return
    said = f"{tally.left_out} pictures were left out; all of them are named in {run.path / LEFT_OUT}."
    run.append(Notice(said, level="warning"))
    run.append(Table("Why pictures were left out", ["Reason", "Pictures"], _rows(tally)))
    run.append(Table("Pictures that were left out", ["Link", "Reason"], tally.named))


def _rows(tally: Tally) -> list[list[str]]:
    return [[reason, str(count)] for reason, count in tally.reasons.most_common()]
