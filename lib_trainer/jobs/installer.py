"""Make a virtual environment and install packages into it, with progress as it goes and a cure when it fails."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lib_trainer.core.errors import EngineError
from lib_trainer.core.events import Event, Progress
from lib_trainer.jobs.child_processes import clean_environment, follow
from lib_trainer.jobs.inspection import holding
from lib_trainer.jobs.pip_output import PipOutput, cause, failed_package, last_lines

OnEvent = Callable[[Event], None]

RAW_PROGRESS_SINCE = (24, 1)
PROGRESS_SECONDS = 0.5
SIGN_OF_LIFE_SECONDS = 5.0


@dataclass(frozen=True)
class Watch:
    """Who is told of a set-up's progress, who may stop it, and which file descriptors its children hold."""

    on_event: OnEvent
    should_stop: Callable[[], bool]
    keep_open: tuple[int, ...] = ()


@dataclass(frozen=True)
class Sources:
    """Where packages come from: an index instead of pip's own, a folder of wheels; `offline` asks nothing else."""

    index: str | None = None
    wheels: Path | None = None
    offline: bool = False

    @property
    def arguments(self) -> list[str]:
        """pip's flags."""
        flags = ["--no-index"] if self.offline else []
        flags += ["--index-url", self.index] if self.index and not self.offline else []
        return flags + (["--find-links", str(self.wheels)] if self.wheels is not None else [])

    @property
    def settings(self) -> dict[str, str]:
        """pip's settings that keep it from asking what the user's configuration names."""
        if not self.offline:
            return {}
        return {"PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": "", "PIP_INDEX_URL": "", "PIP_EXTRA_INDEX_URL": ""}


@dataclass
class Installer:
    """pip of one environment, `what` in words; `touched` says whether it began to change the environment."""

    python: Path
    scratch: Path
    log: Path
    watch: Watch
    what: str = "the engine"
    touched: bool = field(default=False)

    def install(self, arguments: Sequence[str], requirements: int, sources: Sources) -> None:
        """Run `pip install` on so many requirements.

        Raises:
            EngineError: pip failed; the message names the package, the cure and the last lines.
            SetupStoppedError: the user stopped it.
        """
        output = PipOutput(requirements)
        told = _Throttle(self.watch.on_event)
        self.scratch.mkdir(parents=True, exist_ok=True)
        began = time.time()

        def on_line(line: str | None) -> None:
            if line is not None:
                log.write(f"{line}\n")
                told.say(output.read(line))
            if output.installing:
                self.touched = True
                told.say(output.installed(_unpacked_since(self.python, began)))

        with self.log.open("a", encoding="utf-8") as log:
            status = follow(
                [*self._pip, *sources.arguments, *arguments],
                {**clean_environment(), **self._settings, **sources.settings},
                on_line,
                self.watch.should_stop,
                self.watch.keep_open,
            )
        if status != 0:
            raise EngineError(
                f"Setting up {self.what} failed at {failed_package(output) or 'pip'}. {cause(output.lines, status)}\n"
                f"The last lines (all are in {self.log}):\n{last_lines(output)}"
            )

    @property
    def _pip(self) -> list[str]:
        pip = holding(self.python, ["pip"]).packages.get("pip", ("0", ""))[0]
        has_raw = tuple(int(part) for part in pip.split(".")[:2] if part.isdigit()) >= RAW_PROGRESS_SINCE
        return [
            *(str(self.python), "-I", "-X", "utf8", "-m", "pip", "install", "--no-input", "--only-binary", ":all:"),
            *("--disable-pip-version-check", "--no-warn-script-location"),
            *("--progress-bar", "raw" if has_raw else "off"),
        ]

    @property
    def _settings(self) -> dict[str, str]:
        """Downloads are unpacked beside the engine, because `/tmp` is often too small for torch; never user-wide."""
        scratch = str(self.scratch)
        return {"TMPDIR": scratch, "TEMP": scratch, "TMP": scratch, "PIP_USER": "0", "PIP_ROOT_USER_ACTION": "ignore"}


class _Throttle:
    """Passes progress on when its stage begins or ends, and otherwise now and then."""

    def __init__(self, on_event: OnEvent) -> None:
        self._on_event = on_event
        self._last: Progress | None = None
        self._at = 0.0

    def say(self, progress: Progress | None) -> None:
        if progress is None:
            return
        last, now = self._last, time.monotonic()
        if last is not None and last.stage == progress.stage:
            has_ended = progress.done == progress.total and last.done < last.total
            is_new = (progress.done, progress.total) != (last.done, last.total)
            if not has_ended and now - self._at < (PROGRESS_SECONDS if is_new else SIGN_OF_LIFE_SECONDS):
                return
        self._last, self._at = progress, now
        self._on_event(progress)


def venv_python(folder: Path) -> Path:
    """The Python of a virtual environment on this system."""
    return folder / "Scripts" / "python.exe" if os.name == "nt" else folder / "bin" / "python"


def make_venv(folder: Path, watch: Watch) -> Path:
    """Make a virtual environment with pip from the Python that runs us, and return its Python.

    Raises:
        EngineError: this Python can't make one; the message says what to install.
        SetupStoppedError: the user stopped it.
    """
    if not sys.executable:
        raise EngineError("It is not known which Python runs the trainer; name one with the option python (--python).")
    lines: list[str] = []
    command = [sys.executable, "-I", "-X", "utf8", "-m", "venv", str(folder)]
    status = follow(
        command, clean_environment(), lambda line: lines.append(line or ""), watch.should_stop, watch.keep_open
    )
    if status != 0 or not venv_python(folder).exists():
        raise EngineError(_venv_failure("\n".join(line for line in lines if line), folder))
    return venv_python(folder)


def _venv_failure(said: str, folder: Path) -> str:
    version = ".".join(map(str, sys.version_info[:2]))
    if "ensurepip" in said or "No module named venv" in said:
        return (
            f"{sys.executable} can't make virtual environments: its module venv or ensurepip is missing. On Debian and "
            f"Ubuntu install python{version}-venv with the system's package manager; elsewhere start the trainer with "
            "a complete Python 3.10 to 3.13."
        )
    cure = cause([said], 1)
    return f"The environment {folder} can't be made with {sys.executable}. {cure}\nIt said:\n{said[-800:]}"


def remove_tree(folder: Path) -> None:
    """Remove a folder of ours, if it is there.

    Raises:
        EngineError: something in it is in use or may not be removed.
    """
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        raise EngineError(
            f"{folder} can't be removed ({error}). Stop a training or another set-up that still uses it, and see that "
            "the folder belongs to you; then try again."
        ) from error


def _unpacked_since(python: Path, began: float) -> int:
    """How many packages pip has finished; it writes RECORD last."""
    places = ("Lib/site-packages", "lib/python3.*/site-packages")
    records = (record for place in places for record in python.parent.parent.glob(f"{place}/*.dist-info/RECORD"))
    return sum(1 for record in records if _modified(record) >= began)


def _modified(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0
