"""What another Python holds: its version, its packages, and whether its torch can be loaded."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lib_trainer.core.errors import EngineError
from lib_trainer.jobs.child_processes import clean_environment
from lib_trainer.jobs.pins import Pins, check_python_version, differences

VERSIONS_SECONDS = 60
LOAD_SECONDS = 600  # a first import of torch from a slow disk, with a virus scanner reading along

# A script given with -c finds modules in the folder it is started in; the empty entry stands for that.
VERSIONS_SCRIPT = """
import json, sys
sys.path = [entry for entry in sys.path if entry]
found = {}
if sys.version_info >= (3, 10):
    import importlib.metadata
    for name in sys.argv[1:]:
        try:
            package = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        found[name] = [package.version, str(package.locate_file(""))]
print(json.dumps({"version": list(sys.version_info[:3]), "found": found}))
"""
LOAD_SCRIPT = """
import sys
sys.path = [entry for entry in sys.path if entry]
import torch
if torch.cuda.is_available():
    print(torch.cuda.get_device_name(0))
elif torch.xpu.is_available():
    print(torch.xpu.get_device_name(0))
else:
    print("the Apple GPU" if torch.backends.mps.is_available() else "the CPU")
"""


@dataclass(frozen=True)
class Holding:
    """A Python's version, and for each package found its version and the folder it lies in."""

    version: tuple[int, ...]
    packages: dict[str, tuple[str, str]]


def holding(python: Path, names: Iterable[str]) -> Holding:
    """Ask a Python which of the named packages it has.

    Raises:
        EngineError: this is no Python that runs.
    """
    done = _run(python, VERSIONS_SCRIPT, tuple(names), VERSIONS_SECONDS)
    try:
        answer = json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError) as error:
        said = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        raise EngineError(f"{python} does not run as a Python (it said: {said}). Name another.") from error
    packages = {name: (version, folder) for name, (version, folder) in answer["found"].items()}
    return Holding(tuple(answer["version"]), packages)


def check_packages(python: Path, pins: Pins, cure: str) -> Holding:
    """The Python's holding when every direct pin is there in its exact version.

    Raises:
        EngineError: the Python's version, or a package, is not as pinned; every difference is named.
    """
    held = holding(python, pins.versions)
    check_python_version(held.version, f"{python} is")
    differing = differences(pins.versions, {name: version for name, (version, _) in held.packages.items()})
    if differing:
        raise EngineError(f"{python} lacks what the engine needs: {'; '.join(differing)}. {cure}")
    return held


def loaded_device(python: Path) -> str:
    """The device that this Python's torch computes on, in words; torch is really loaded for it.

    Raises:
        EngineError: torch is there but can't be loaded.
    """
    done = _run(python, LOAD_SCRIPT, (), LOAD_SECONDS)
    if done.returncode == 0 and done.stdout.strip():
        return done.stdout.splitlines()[-1].strip()
    said = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
    cure = "Set up again with renew (--renew); if it stays, take the sentence above to a bug report."
    if sys.platform == "win32":
        cure = "Install Microsoft's Visual C++ Redistributable (x64) and set up again."
    elif "cannot open shared object file" in said:
        cure = "Install the system's package with that library and set up again."
    elif done.returncode < 0:
        cure = "This processor may be too old for torch's builds; name a Python with a fitting torch (--python)."
    raise EngineError(f"torch is installed for {python}, but can't be loaded: {said}. {cure}")


def _run(python: Path, script: str, arguments: tuple[str, ...], seconds: int) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            (str(python), "-X", "utf8", "-c", script, *arguments),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            env=clean_environment(),
            cwd=python.parent,
            stdin=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except subprocess.TimeoutExpired as error:
        raise EngineError(f"{python} did not answer within {seconds} s; try again when the machine is idle.") from error
    except OSError as error:
        raise EngineError(f"{python} can't be started ({error}); name another Python.") from error
