"""Counting and naming what an import brought, and what it did not."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

from lib_trainer.core.events import Table
from lib_trainer.core.whole_files import write_text
from lib_trainer.images.importing.entries import Left
from lib_trainer.images.importing.landing import Landed

MOST_ROWS = 200
REPORT = "import.json"


@dataclass
class Tally:
    """What happened so far; `left` is everything that was not taken as it was, in order."""

    landed: Counter[str] = field(default_factory=Counter)
    captions: int = 0
    refused: int = 0
    carried: int = 0
    other_kinds: list[str] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)

    def leave(self, left: Left) -> None:
        """Note what was not taken as it was."""
        self.left.append(left)

    def refuse(self, left: Left) -> None:
        """Note a picture that could not be used."""
        self.refused += 1
        self.left.append(left)

    def land(self, name: str, landed: Landed, has_words: bool) -> None:
        """Note what became of a picture."""
        self.landed[landed.how] += 1
        self.captions += has_words and landed.how != "same" and not landed.other_words
        if landed.how == "same":
            also = "; its caption says something else" if landed.other_words else ""
            self.left.append(Left(name, f"the same file as {landed.name}{also}"))
        elif landed.other_words:
            self.left.append(Left(name, f"another caption lies beside {landed.name} already, which stays"))
        elif landed.name != name:
            self.left.append(Left(name, f"it is called {landed.name}: its name was taken, or can't be on every disk"))

    @property
    def pictures(self) -> int:
        """How many pictures lie in the folder because of this import or an earlier one of the same."""
        return self.landed["new"] + self.landed["there"]

    def tables(self, output: Path) -> list[Table]:
        """What is shown at the end."""
        counts = [
            ("Pictures brought in", self.landed["new"]), ("There already", self.landed["there"]),
            ("The same file as another one", self.landed["same"]), ("Pictures that can't be used", self.refused),
            ("With a caption", self.captions), ("Side files", self.carried), ("Files of other kinds",
            len(self.other_kinds)), ("Notes below", len(self.left)),
        ]  # fmt: skip
        tables = [Table(f"Brought into {output}", ["", "Count"], [[name, str(count)] for name, count in counts])]
        if self.left:
            rows = [[left.name, left.reason] for left in self.left[:MOST_ROWS]]
            more = len(self.left) - MOST_ROWS
            rows += [[f"and {more} more", ""]] * (more > 0)
            tables.append(Table("Left out or changed", ["File", "Reason"], rows))
        return tables

    def write(self, run: Path) -> None:
        """Write all of it into the run's folder; the tables of events are cut short."""
        data = {"left": [asdict(left) for left in self.left], "other_kinds": self.other_kinds}
        write_text(run / REPORT, json.dumps(data, indent=1))
