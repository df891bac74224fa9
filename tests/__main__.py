"""`python3 tests [pytest arguments]`: make what the tests need, then run lint, types and the tests.

`python3 tests --host [pytest arguments]` runs only the tests of the host's side, with the Python that runs this and
pytest. The exit code is that of the worst part.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).absolute().parents[1]
sys.path[0] = str(ROOT)  # instead of this folder, whose names are no modules

from lib_trainer.core.errors import TrainerError  # noqa: E402
from lib_trainer.core.places import data_folder  # noqa: E402
from lib_trainer.core.units import duration  # noqa: E402
from lib_trainer.core.whole_files import write_text  # noqa: E402
from lib_trainer.jobs.child_processes import clean_environment  # noqa: E402
from lib_trainer.jobs.environment import EnvironmentOptions, ensure_engine  # noqa: E402
from lib_trainer.jobs.installer import venv_python  # noqa: E402
from lib_trainer.jobs.page_environment import PageEnvironmentOptions, ensure_page  # noqa: E402
from lib_trainer.jobs.stamp import stamp_file  # noqa: E402
from lib_trainer.terminal import Terminal  # noqa: E402
from tests.environments import (  # noqa: E402
    HOST_LOCKS,
    HOSTS,
    WITHOUT_CHROMIUM,
    WITHOUT_PYTHON,
    chromium,
    host_folder,
    python_of_the_webuis,
)

TESTS = ROOT / "tests"
AT_THE_TOP = sorted(str(file) for file in TESTS.glob("test_*.py"))
HOST_TESTS = ("tests/core", "tests/jobs", "tests/presets", "tests/ui", *AT_THE_TOP)
PACKAGES_OF = "import sys; print(*(place for place in sys.path if place.endswith('-packages')), sep='\\n')"
PROCESSES = min(4, os.cpu_count() or 1)  # each may take a gigabyte
OF_THE_PAGE = "browser or hosts"
SETTINGS = {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}


class PartFailedError(Exception):
    """A part of the preparation failed; the message says which and what it said."""


def main(arguments: list[str]) -> int:
    """Run what was asked for; returns the exit code."""
    if not (3, 10) <= sys.version_info < (3, 14):
        say(f"The tests need Python 3.10 to 3.13; {sys.executable} is {sys.version.split()[0]}.")
        return 2
    host_only = "--host" in arguments
    arguments = [argument for argument in arguments if argument != "--host"]
    try:
        python = host_environment() if host_only else all_environments()
    except (PartFailedError, TrainerError) as error:
        say(f"The tests' environment could not be made. {error}")
        return 2
    parts = host_parts(python, arguments) if host_only else all_parts(python, arguments)
    return run_parts(parts)


def say(text: str) -> None:
    """A line for the reader, before what comes from others."""
    sys.stdout.flush()
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def all_parts(python: Path, arguments: list[str]) -> dict[str, list[str]]:
    """Name -> command.

    Without arguments the tests run in several processes, but for those of the page: they start servers, browsers and
    engines themselves, and wait only so long for them.
    """
    pytest = [str(python), "-m", "pytest"]
    both = {
        "tests": [*pytest, "-n", str(PROCESSES), "--dist", "loadfile", "-m", f"not slow and not ({OF_THE_PAGE})"],
        "tests of the page": [*pytest, "-m", f"not slow and ({OF_THE_PAGE})"],
    }
    return {
        "lint": [str(python), "-m", "ruff", "check", "--quiet", "."],
        "types": [str(python), "-m", "mypy"],
        **({"tests": [*pytest, *arguments]} if arguments else both),
    }


def host_parts(python: Path, arguments: list[str]) -> dict[str, list[str]]:
    """Only those tests that need no package of the engine's."""
    return {"tests": [str(python), "-m", "pytest", "-m", "not engine and not slow", *HOST_TESTS, *arguments]}


def run_parts(parts: dict[str, list[str]]) -> int:
    """Run each part, also after one that failed; name those that failed.

    The types are checked beside the tests of the page, which leave one processor free.
    """
    environment = {**SETTINGS, **clean_environment()}
    codes: dict[str, int] = {}
    beside = {"tests of the page": "types"} if "tests of the page" in parts else {}
    for name, command in parts.items():
        if name in beside.values():
            continue
        other = beside.get(name)
        with ThreadPoolExecutor(1) as pool:
            quiet = pool.submit(_run_quietly, parts[other], environment) if other else None
            began = time.monotonic()
            say(f"== {name}")
            codes[name] = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
            if not name.startswith("tests"):
                _say_how_it_went(name, codes[name], time.monotonic() - began)
            if other and quiet:
                say(f"== {other}")
                codes[other], seconds, said = quiet.result()
                say(said.rstrip())
                _say_how_it_went(other, codes[other], seconds)
    failed = [name for name, code in codes.items() if code]
    if any(not name.startswith("tests") for name in failed):
        say(f"Failed: {', '.join(failed)}.")
    return max(abs(code) for code in codes.values())


def _run_quietly(command: list[str], environment: dict[str, str]) -> tuple[int, float, str]:
    """The exit code, the seconds that it took, and all that it said."""
    began = time.monotonic()
    done = subprocess.run(
        command, cwd=ROOT, env=environment, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        encoding="utf-8", errors="replace",
    )  # fmt: skip
    return done.returncode, time.monotonic() - began, done.stdout


def _say_how_it_went(name: str, code: int, seconds: float) -> None:
    say(f"{name}: {'failed' if code else 'good'} after {duration(seconds)}")


def all_environments() -> Path:
    """The Python for lint, types and tests; the page's environments are made meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        pages = pool.submit(page_environments)
        python = full_environment()
        pages.result()
    return python


def full_environment() -> Path:
    """The Python with the engine's packages and the tests' tools; quick, and without a network, when nothing changed.

    The tools lie in an environment of their own that looks into the engine's, which stays as users get it.
    """
    home = data_folder()
    engine = ensure_engine(EnvironmentOptions(), home, Terminal().show)
    folder = home / "tests"
    wanted = digest(TESTS / "requirements.txt", TESTS / "requirements-host.txt", stamp_file(home))
    if not is_made(folder, wanted):
        say(f"Making the tests' environment in {folder}.")
        make_environment(engine, folder, ["--without-pip"])
        look_into(engine, venv_python(folder))
        pip = [str(engine), "-m", "pip", "--python", str(venv_python(folder))]
        install(pip, TESTS / "requirements.txt")
        write_text(folder / "stamp", wanted)
    return venv_python(folder)


def page_environments() -> None:
    """The page's environment, and one with each WebUI's Gradio; what can't be made here is said, its tests skipped."""
    if chromium() is None:
        say(f"Tests in the browser are skipped: {WITHOUT_CHROMIUM}.")
    python = python_of_the_webuis()
    if python is None:
        say(f"Tests in the WebUIs' Gradio are skipped: {WITHOUT_PYTHON}.")
    with ThreadPoolExecutor(len(HOSTS)) as pool:  # beside the page's own, since each is busy with itself
        made = [pool.submit(make_host, python, name) for name in HOSTS if python is not None]
        ensure_page(PageEnvironmentOptions(), data_folder(), Terminal().show)
        for one in made:
            one.result()


def make_host(python: Path, name: str) -> None:
    """The environment with the Gradio of a WebUI, in that WebUI's Python."""
    folder, lock = host_folder(name), HOST_LOCKS / f"{name}.txt"
    wanted = digest(lock)
    if not is_made(folder, wanted):
        say(f"Making the environment with {name}'s Gradio in {folder}.")
        make_environment(python, folder, [])
        install([str(venv_python(folder)), "-m", "pip"], lock)
        write_text(folder / "stamp", wanted)


def host_environment() -> Path:
    """An environment of this Python with pytest and nothing else."""
    version = ".".join(map(str, sys.version_info[:2]))
    folder = data_folder() / f"tests-host-{version}"
    wanted = digest(TESTS / "requirements-host.txt") + sys.version
    if not is_made(folder, wanted):
        say(f"Making the tests' environment for Python {version} in {folder}.")
        make_environment(Path(sys.executable), folder, [])
        install([str(venv_python(folder)), "-m", "pip"], TESTS / "requirements-host.txt")
        write_text(folder / "stamp", wanted)
    return venv_python(folder)


def digest(*files: Path) -> str:
    """Changes when one of the files does."""
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def is_made(folder: Path, wanted: str) -> bool:
    """Whether the environment was made to its end, from the same files."""
    stamp = folder / "stamp"
    return venv_python(folder).exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted


def make_environment(python: Path, folder: Path, arguments: list[str]) -> None:
    """A new virtual environment, in place of an old one."""
    shutil.rmtree(folder, ignore_errors=True)
    call([str(python), "-m", "venv", *arguments, str(folder)], f"Making {folder}")


def look_into(engine: Path, python: Path) -> None:
    """Let one Python find the packages of the engine's, behind its own."""
    folders = call([str(engine), "-I", "-c", PACKAGES_OF], f"Asking {engine} for its packages")
    own = call([str(python), "-I", "-c", PACKAGES_OF], f"Asking {python} for its packages").splitlines()[0]
    (Path(own) / "engine.pth").write_text(folders, encoding="utf-8")


def install(pip: list[str], requirements: Path) -> None:
    """Install exactly what the file names."""
    say(f"Installing {requirements.relative_to(ROOT)}.")
    call([*pip, "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r", str(requirements)],
         f"Installing {requirements.relative_to(ROOT)}")  # fmt: skip


def call(command: list[str], what: str) -> str:
    """What a command prints.

    Raises:
        PartFailedError: it failed; the message has the end of what it said.
    """
    done = subprocess.run(command, cwd=ROOT, env=clean_environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise PartFailedError(f"{what} failed:\n{(done.stdout + done.stderr)[-2000:].strip()}")
    return done.stdout


if __name__ == "__main__":
    os.environ.pop("PYTHONPATH", None)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
