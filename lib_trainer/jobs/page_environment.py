"""The small environment of the stand-alone page: gradio and what it brings, nothing of torch; made once, on demand."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lib_trainer.core.errors import ConfigError, EngineError
from lib_trainer.core.events import Notice
from lib_trainer.core.options import option
from lib_trainer.core.units import duration
from lib_trainer.core.whole_files import write_text
from lib_trainer.jobs.child_processes import clean_environment, follow
from lib_trainer.jobs.installer import Installer, OnEvent, Sources, Watch, make_venv, remove_tree, venv_python
from lib_trainer.jobs.pins import NEWEST_PYTHON, OLDEST_PYTHON, Pins
from lib_trainer.jobs.setup_lock import setting_up
from lib_trainer.jobs.stamp import base_exists

PAGE_PINS = Pins(
    direct=Path(__file__).with_name("page-requirements.in"),
    lock=Path(__file__).with_name("page-requirements.txt"),
    installer=None,
)
STAMP = "trainer-stamp"
QUIET = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}  # no calls out


@dataclass(frozen=True)
class PageEnvironmentOptions:
    """Where the page's own packages come from the first time (about 80 MB to load, 350 MB on the disk)."""

    package_index: str | None = option(None, "Address of a package index to use instead of pip's own.")
    offline: bool = option(False, "Never use the network: take what is installed, or the folder of wheels.")
    wheels: Path | None = option(
        None, "Folder with wheel files, as 'pip download -r lib_trainer/jobs/page-requirements.txt' fills it."
    )


def page_folder(home: Path) -> Path:
    """Where the environment lies."""
    return home / "page"


def ready_page(home: Path, pins: Pins = PAGE_PINS) -> Path | None:
    """The Python of the page's environment if it was made to its end, for these pins; starts nothing."""
    folder = page_folder(home)
    python = venv_python(folder)
    try:
        stamp = (folder / STAMP).read_text(encoding="utf-8")
    except OSError:
        return None
    return python if stamp == pins.digest and python.exists() and base_exists(python) else None


def ensure_page(
    options: PageEnvironmentOptions,
    home: Path,
    on_event: OnEvent,
    should_stop: Callable[[], bool] = lambda: False,
    pins: Pins = PAGE_PINS,
) -> Path:
    """The Python of the page's environment in `home/page`, made first where need be; a ready one comes at once.

    Raises:
        ConfigError: an option's value can't be used, or two contradict each other.
        EngineError: the set-up failed; the message names the package and what to try.
        SetupStoppedError: `should_stop` said so; nothing half-done will be used.
        OutputError: `home` can't be written.
    """
    _check(options)
    home = Path(home).absolute()
    if ready := ready_page(home, pins):
        return ready
    with setting_up(home, "page", on_event, should_stop) as descriptor:
        if ready := ready_page(home, pins):
            return ready
        return _make(options, home, pins, Watch(on_event, should_stop, (descriptor,)))


def _check(options: PageEnvironmentOptions) -> None:
    if options.wheels is not None and not options.wheels.is_dir():
        raise ConfigError(f"'wheels' is {options.wheels}; there is no such folder. Name the one with the .whl files.")
    if options.package_index is not None and options.offline:
        raise ConfigError("'package_index' needs the network and 'offline' forbids it; give one of them.")


def _make(options: PageEnvironmentOptions, home: Path, pins: Pins, watch: Watch) -> Path:
    """A new environment, in place of an old or half-made one; its stamp is written last."""
    if options.offline and options.wheels is None:
        raise EngineError(
            "The page's environment is not made yet, and 'offline' forbids the network: give a folder of wheel files "
            "with wheels (--wheels), or start the page once without offline."
        )
    if not OLDEST_PYTHON <= sys.version_info[:2] <= NEWEST_PYTHON:
        raise EngineError(f"The page needs Python 3.10 to 3.13; it was started with {sys.version.split()[0]}.")
    began, folder = time.monotonic(), page_folder(home)
    watch.on_event(Notice(f"Making the page's environment in {folder}, once (80 MB to load, 350 MB on the disk)."))
    remove_tree(folder)
    python = make_venv(folder, watch)
    scratch = home / "page-downloads"
    installer = Installer(python, scratch, home / "page-setup.log", watch, what="the page")
    installer.log.unlink(missing_ok=True)
    try:
        sources = Sources(options.package_index, options.wheels, options.offline)
        installer.install(["--no-deps", "-r", str(pins.lock)], pins.locked, sources)
    finally:
        remove_tree(scratch)
    _try(python, watch)
    write_text(folder / STAMP, pins.digest)
    watch.on_event(Notice(f"The page's environment is ready after {duration(time.monotonic() - began)}."))
    return python


def _try(python: Path, watch: Watch) -> None:
    """Load gradio once, which also leaves its compiled files for the first start."""
    watch.on_event(Notice("Loading the page's packages once."))
    lines: list[str] = []
    command = [str(python), "-I", "-X", "utf8", "-c", "import gradio"]
    environment = {**clean_environment(), **QUIET}
    status = follow(command, environment, lambda line: lines.append(line or ""), watch.should_stop, watch.keep_open)
    if status != 0:
        said = next((line for line in reversed(lines) if line), f"exit status {status}")
        raise EngineError(f"gradio is installed for {python}, but can't be loaded: {said}. Mend that and start again.")
