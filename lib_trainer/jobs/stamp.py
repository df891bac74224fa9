"""The file written last at a set-up: which Python is the engine's, what it holds, and what the user wished."""

from __future__ import annotations

import dataclasses
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lib_trainer.core.whole_files import write_text
from lib_trainer.jobs.pins import SHIPPED, Pins

Status = Literal["ready", "outdated", "absent"]


@dataclass(frozen=True)
class Stamp:
    """What is known of a set-up; `digest` is that of the pins, and empty until the set-up has ended well.

    Paths within the trainer's folder are kept relative to it, so that the folder may be moved. `packages` is name ->
    (version, folder).
    """

    python: str
    is_own: bool
    digest: str = ""
    torch_build: str = "auto"
    torch_index: str | None = None
    package_index: str | None = None
    packages: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class EngineState:
    """Whether the engine can be used, with a sentence for the user; `python` is set when it is ready."""

    status: Status
    message: str
    python: Path | None = None


def stamp_file(home: Path) -> Path:
    """Where the stamp of a trainer's folder is."""
    return home / "engine.json"


def read_stamp(home: Path) -> Stamp | None:
    """The stamp of the last set-up, ended well or not; None when there is no readable one."""
    try:
        data = json.loads(stamp_file(home).read_text(encoding="utf-8"))
        packages = {name: (str(version), str(folder)) for name, (version, folder) in data.pop("packages").items()}
        return Stamp(packages=packages, **data)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def write_stamp(home: Path, stamp: Stamp) -> None:
    """Write the stamp as a whole file."""
    write_text(stamp_file(home), json.dumps(dataclasses.asdict(stamp), indent=2))


def relative(path: Path | str, home: Path) -> str:
    """The path as the stamp keeps it."""
    try:
        return str(Path(path).relative_to(home))
    except ValueError:
        return str(path)


def engine_state(home: Path, pins: Pins = SHIPPED) -> EngineState:
    """Whether the engine of this folder can be used; looks at a few files and starts nothing."""
    home = Path(home).absolute()
    stamp = read_stamp(home)
    if stamp is None:
        return EngineState("absent", "The engine is not set up yet: torch and its companions must be installed once.")
    if not stamp.digest:
        return EngineState("absent", "The engine's last set-up did not come to its end; it must be done again.")
    if missing := _missing(home, stamp):
        return EngineState("absent", f"The engine is damaged: {missing} is gone; it must be set up again.")
    if stamp.digest != pins.digest:
        return EngineState("outdated", "The engine holds other package versions and must be brought up to date.")
    torch = stamp.packages.get("torch", ("", ""))[0]
    return EngineState("ready", f"The engine is ready (torch {torch}).", home / stamp.python)


def _missing(home: Path, stamp: Stamp) -> str:
    """What the stamp names and the disk no longer holds, or an empty text."""
    python = home / stamp.python
    if not python.exists():
        return str(python)
    if stamp.is_own and not base_exists(python):
        return f"the Python that {python} was made from"
    names = {folder: _names_in(home / folder) for _, folder in stamp.packages.values()}
    for name, (version, folder) in stamp.packages.items():
        start = _plain(f"{name}-{version}.")
        if not any(entry.startswith(start) for entry in names[folder]):
            return f"{name} {version}"
    return ""


def base_exists(python: Path) -> bool:
    """Whether the Python is still there that a virtual environment borrows its standard library from."""
    try:
        lines = (python.parent.parent / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    settings = {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in lines)}
    return Path(settings.get("home", "")).is_dir()


def _names_in(folder: Path) -> list[str]:
    try:
        return [_plain(path.name) for path in folder.iterdir()]
    except OSError:
        return []


def _plain(name: str) -> str:
    """Lower case and one kind of separator: the index and the disk write a package's name differently (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
