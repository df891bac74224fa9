"""Resolve the engine's pins for every supported Python and system, or write the lock anew; needs uv and a network.

    python tests/resolve_pins.py            a table of the twelve combinations; the exit status is 1 if one fails
    python tests/resolve_pins.py --write    resolve requirements.in into requirements.txt first

`uv` is looked for on PATH, or named in the environment variable UV.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

JOBS = Path(__file__).parent.parent / "lib_trainer" / "jobs"
DIRECT, LOCK = JOBS / "requirements.in", JOBS / "requirements.txt"
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
SYSTEMS = {"Linux": "x86_64-manylinux_2_28", "Windows": "x86_64-pc-windows-msvc", "macOS arm64": "aarch64-apple-darwin"}
ONLY_WITH_TORCH = re.compile(r"torch==|nvidia-|cuda-|triton")
QUIET = ("--quiet", "--no-header", "--no-annotate", "--only-binary", ":all:")


def find_uv() -> str | None:
    """The uv program, if there is one."""
    return os.environ.get("UV") or shutil.which("uv")


def compiled(uv: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What `uv pip compile` says; macOS wheels of torch begin at macOS 14."""
    environment = {**os.environ, "MACOSX_DEPLOYMENT_TARGET": "14.0"}
    command = (uv, "pip", "compile", *QUIET, *arguments)
    return subprocess.run(command, capture_output=True, encoding="utf-8", env=environment, check=False)


def write_lock(uv: str) -> None:
    """Resolve the direct pins for all systems at once, one version a package, and keep all but what torch brings."""
    done = compiled(uv, "--universal", "--python-version", PYTHONS[0], "--fork-strategy", "fewest", str(DIRECT))
    if done.returncode:
        raise SystemExit(done.stderr)
    head = "# Written by tests/resolve_pins.py from requirements.in; without torch and what only its builds need.\n"
    lines = [line for line in done.stdout.splitlines() if not ONLY_WITH_TORCH.match(line)]
    LOCK.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")


def check(uv: str, python: str, system: str) -> str:
    """Why the lock and torch do not go together there, or an empty text."""
    torch = next(line for line in DIRECT.read_text(encoding="utf-8").splitlines() if line.startswith("torch=="))
    with tempfile.TemporaryDirectory() as folder:
        both = Path(folder) / "both.txt"
        both.write_text(f"{LOCK.read_text(encoding='utf-8')}\n{torch}\n", encoding="utf-8")
        done = compiled(uv, "--python-version", python, "--python-platform", SYSTEMS[system], str(both))
    if done.returncode:
        return done.stderr.strip()
    pinned = {line.partition("==")[0] for line in LOCK.read_text(encoding="utf-8").splitlines() if "==" in line}
    extra = [line for line in done.stdout.splitlines() if line.partition("==")[0] not in pinned]
    return "; ".join(f"{line} is not in the lock" for line in extra if not ONLY_WITH_TORCH.match(line))


def failures(uv: str) -> dict[tuple[str, str], str]:
    """(Python, system) -> why it fails, empty where it resolves."""
    combinations = [(python, system) for python in PYTHONS for system in SYSTEMS]
    with ThreadPoolExecutor(4) as pool:
        return dict(zip(combinations, pool.map(lambda pair: check(uv, *pair), combinations), strict=True))


def main() -> int:
    """Print the table."""
    uv = find_uv()
    if uv is None:
        print("uv is not installed; put it on PATH or name it in the environment variable UV.")
        return 2
    if "--write" in sys.argv[1:]:
        write_lock(uv)
    found = failures(uv)
    for (python, system), why in found.items():
        print(f"Python {python:5} {system:12} {why or 'resolves'}")
    return 1 if any(found.values()) else 0


if __name__ == "__main__":
    raise SystemExit(main())
