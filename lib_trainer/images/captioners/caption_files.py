"""Caption files as the step `caption` writes them: what was there is noted first, so that nothing is lost."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from lib_trainer.core.errors import OutputError
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.core.whole_files import write_text
from lib_trainer.images.captions import CAPTION_SUFFIXES
from lib_trainer.images.pictures import Picture

RESULTS = "captions.jsonl"  # in the run's folder: one line a picture
Deed = Literal["written", "kept", "failed", "shown"]


@dataclass(frozen=True)
class Result:
    """What became of one picture: `file` inside the folder, its caption file before (None: no such file) and after."""

    file: str
    did: Deed
    after: str = ""
    before: str | None = None
    target: str = ""
    why: str = ""
    sentence: str = ""
    tags: list[str] = field(default_factory=list)


@dataclass
class Results:
    """The results of a run so far, kept in its folder."""

    run: RunDirectory
    known: dict[str, Result]
    owners: dict[str, str] = field(default_factory=dict)  # caption file -> the picture whose caption went there

    @classmethod
    def of(cls, run: RunDirectory) -> Results:
        """Those of a run that may have been interrupted; a line that was cut off counts as not there."""
        try:
            lines = (run.path / RESULTS).read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            lines = []
        results = [result for result in map(_result, lines) if result is not None]
        owners = {result.target: result.file for result in results if result.target}
        return cls(run, {result.file: result for result in results}, owners)

    def add(self, result: Result) -> None:
        """Note one result, whatever becomes of the engine the next moment.

        Raises:
            OutputError: the disk refuses.
        """
        self.known[result.file] = result
        if result.target:
            self.owners[result.target] = result.file
        path = self.run.path / RESULTS
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(result)) + "\n")
        except OSError as error:
            raise OutputError(f"{path} can't be written ({error}); make room there.") from error

    def fail(self, file: str, why: str) -> None:
        """Note that a picture got no caption.

        Raises:
            OutputError: as `add`.
        """
        self.add(Result(file, "failed", why=why))

    def owner(self, target: Path) -> str | None:
        """The picture whose caption this run has put there."""
        return self.owners.get(str(target))

    def is_done(self, file: str) -> bool:
        """Whether nothing is left to be done for a picture.

        A file that is as it was before was not written yet when the engine ended; one that is neither as before nor as
        we wrote it was changed by somebody since, and is theirs.
        """
        result = self.known.get(file)
        if result is None or result.did != "written":
            return result is not None and result.did != "failed"
        try:
            now = content(Path(result.target))
        except OSError:
            return True
        return now == result.after or now != result.before


def _result(line: str) -> Result | None:
    try:
        return Result(**json.loads(line))
    except (ValueError, TypeError):
        return None


def caption_file(picture: Picture, extension: str) -> Path:
    """The file that a caption goes to: the one that is read now, so that no other one hides it."""
    suffix = picture.caption_source if picture.caption_source in CAPTION_SUFFIXES else extension
    return picture.path.with_suffix(suffix)


def content(file: Path) -> str | None:
    """What a file holds, as text that gives the same bytes again; None where there is none.

    Raises:
        OSError: it can't be read.
    """
    try:
        return file.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return None


def put(file: Path, text: str) -> None:
    """Write a caption as a whole file.

    Raises:
        OSError: the disk refuses.
    """
    write_text(file, text)
