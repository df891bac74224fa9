"""What the engine's environment must hold: the direct pins, and the lock that adds what they need."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from lib_trainer.core.errors import EngineError

OLDEST_PYTHON = (3, 10)
NEWEST_PYTHON = (3, 13)


@dataclass(frozen=True)
class Pins:
    """Two requirements files and the installer that reads them.

    `direct` names what our code imports, torch included. `lock` names every package except torch and what torch alone
    brings (CUDA, triton), because those depend on the machine. `installer` is the pip to have for the work, whose exact
    version does not matter (it tells its progress and resumes downloads), or None to take what venv brings.
    """

    direct: Path
    lock: Path
    installer: str | None

    @property
    def versions(self) -> dict[str, str]:
        """Package name -> exact version of the direct pins."""
        return dict(_name_and_version(line) for line in _lines(self.direct))

    @property
    def torch(self) -> str:
        """What is asked of pip in the step that installs torch, such as `torch==2.13.0`."""
        return f"torch=={self.versions['torch']}"

    @property
    def locked(self) -> int:
        """The number of packages in the lock, for whatever system."""
        return len(_lines(self.lock))

    @property
    def digest(self) -> str:
        """Changes when any pin changes; comments, blank lines and line ends don't count."""
        text = "\n".join([*_lines(self.direct), "", *_lines(self.lock)])
        return hashlib.sha256(text.encode("utf-8")).hexdigest()


SHIPPED = Pins(
    direct=Path(__file__).with_name("requirements.in"),
    lock=Path(__file__).with_name("requirements.txt"),
    installer="pip>=25.1,<27",
)


def differences(wanted: dict[str, str], found: dict[str, str]) -> list[str]:
    """Each pin that `found` does not meet, in words; a local suffix such as `+cpu` does not matter."""
    return [
        f"{name} is {found[name]} instead of {version}" if name in found else f"{name} {version} is missing"
        for name, version in wanted.items()
        if found.get(name, "").partition("+")[0] != version
    ]


def check_python_version(version: tuple[int, ...], what: str) -> None:
    """Refuse a Python for which the pins don't hold; `what` begins the sentence, as `The trainer was started with`.

    Raises:
        EngineError: the version is too old or too new.
    """
    if not OLDEST_PYTHON <= tuple(version[:2]) <= NEWEST_PYTHON:
        raise EngineError(
            f"{what} Python {'.'.join(map(str, version))}, but the engine's packages exist for Python 3.10 to 3.13. "
            "Use one of these, or name a Python that has the packages already with the option python (--python)."
        )


def _lines(file: Path) -> list[str]:
    lines = (line.partition("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


def _name_and_version(line: str) -> tuple[str, str]:
    name, _, version = line.partition("==")
    return name.strip(), version.partition(";")[0].strip()
