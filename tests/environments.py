"""The small environments that tests of the page stand on: the page's own, and one with the Gradio of each WebUI."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from lib_trainer.core.places import data_folder
from lib_trainer.jobs.installer import venv_python
from lib_trainer.jobs.page_environment import ready_page

HOME = data_folder()  # before a test has a data folder of its own
HOSTS = {"a1111": "3.41.2", "forge": "4.40.0"}  # environment -> its Gradio
HOST_LOCKS = Path(__file__).parent / "hosts"
WITHOUT_PYTHON = (
    "no Python 3.10 was found, which the WebUIs need; install it (such as `pyenv install 3.10`, or the system's "
    "python3.10 with python3.10-venv) and run `python3 tests` again"
)
WITHOUT_CHROMIUM = (
    "no Chromium was found; install it (on Debian `apt-get install chromium`), or name it in the environment variable "
    "CHROMIUM"
)


def host_folder(name: str) -> Path:
    """Where the environment of a WebUI lies."""
    return HOME / f"hosts-{name}"


def host_python(name: str) -> Path | None:
    """The Python of that environment, if it was made to its end."""
    folder = host_folder(name)
    return venv_python(folder) if (folder / "stamp").exists() else None


def page_python() -> Path | None:
    """The Python of the page's environment, if `python3 tests` made it."""
    return ready_page(HOME)


def python_of_the_webuis() -> Path | None:
    """A Python 3.10 that can make environments, from pyenv or from PATH."""
    if sys.version_info[:2] == (3, 10):
        return Path(sys.executable)
    found = sorted((Path.home() / ".pyenv" / "versions").glob("3.10*/bin/python"))
    on_path = [shutil.which("python3.10")]
    places = [*reversed(found), *(Path(name) for name in on_path if name and "shims" not in Path(name).parts)]
    return next((place for place in places if place.exists()), None)


def chromium() -> Path | None:
    """The browser for the tests of the page."""
    named = os.environ.get("CHROMIUM")
    if named:
        return Path(named)
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    return Path(found) if found else None
