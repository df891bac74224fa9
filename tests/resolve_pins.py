"""Resolve the shipped pins for every supported Python and system, or write a lock anew; needs uv and a network.

    python tests/resolve_pins.py                         a table of all combinations; the exit status is 1 if one fails
    python tests/resolve_pins.py --write [NAME.in]       first resolve NAME.in, or each of them, into NAME.txt

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
DIRECT = (JOBS / "requirements.in", JOBS / "page-requirements.in")
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


def write_lock(uv: str, direct: Path) -> None:
    """Resolve direct pins for all systems at once, one version a package, and keep all but what torch brings."""
    done = compiled(uv, "--universal", "--python-version", PYTHONS[0], "--fork-strategy", "fewest", str(direct))
    if done.returncode:
        raise SystemExit(done.stderr)
    without = "; without torch and what only its builds need" if torch_of(direct) else ""
    head = f"# Written by tests/resolve_pins.py from {direct.name}{without}.\n"
    lines = [line for line in done.stdout.splitlines() if not ONLY_WITH_TORCH.match(line)]
    direct.with_suffix(".txt").write_text(head + "\n".join(lines) + "\n", encoding="utf-8")


def torch_of(direct: Path) -> str:
    """The pin of torch, if there is one."""
    lines = direct.read_text(encoding="utf-8").splitlines()
    return next((line for line in lines if line.startswith("torch==")), "")


def check(uv: str, direct: Path, python: str, system: str) -> str:
    """Why the lock (and torch) can't be had there, or an empty text."""
    lock = direct.with_suffix(".txt").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        both = Path(folder) / "both.txt"
        both.write_text(f"{lock}\n{torch_of(direct)}\n", encoding="utf-8")
        done = compiled(uv, "--python-version", python, "--python-platform", SYSTEMS[system], str(both))
    if done.returncode:
        return done.stderr.strip()
    pinned = {line.partition("==")[0] for line in lock.splitlines() if "==" in line}
    extra = [line for line in done.stdout.splitlines() if line.partition("==")[0] not in pinned]
    return "; ".join(f"{line} is not in the lock" for line in extra if not ONLY_WITH_TORCH.match(line))


def failures(uv: str) -> dict[tuple[str, str, str], str]:
    """(file, Python, system) -> why it fails, empty where it resolves."""
    combinations = [(direct, python, system) for direct in DIRECT for python in PYTHONS for system in SYSTEMS]
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda combination: check(uv, *combination), combinations)
        return {(direct.name, *rest): why for (direct, *rest), why in zip(combinations, found, strict=True)}


def main() -> int:
    """Print the table."""
    uv = find_uv()
    if uv is None:
        print("uv is not installed; put it on PATH or name it in the environment variable UV.")
        return 2
    for direct in DIRECT if "--write" in sys.argv[1:] else ():
        if sys.argv[2:] in ([], [direct.name]):
            write_lock(uv, direct)
    found = failures(uv)
    for (file, python, system), why in found.items():
        print(f"{file:22} Python {python:5} {system:12} {why or 'resolves'}")
    return 1 if any(found.values()) else 0


if __name__ == "__main__":
    raise SystemExit(main())
