"""The engine's environment: made once, on demand, from exact pins; never used before it is whole."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from lib_trainer.core.errors import ConfigError, EngineError
from lib_trainer.core.events import Notice
from lib_trainer.core.options import option
from lib_trainer.core.units import duration
from lib_trainer.jobs.inspection import Holding, check_packages, loaded_device
from lib_trainer.jobs.installer import Installer, OnEvent, Sources, Watch, make_venv, remove_tree, venv_python
from lib_trainer.jobs.machine import Machine, this_machine
from lib_trainer.jobs.pins import SHIPPED, Pins, check_python_version
from lib_trainer.jobs.setup_lock import setting_up
from lib_trainer.jobs.stamp import EngineState, Stamp, engine_state, read_stamp, relative, write_stamp
from lib_trainer.jobs.torch_builds import objection, remark


@dataclass(frozen=True)
class EnvironmentOptions:
    """Install torch and its companions into a folder of the trainer's own; nothing else on the machine is changed."""

    python: Path | None = option(
        None, "A Python that has the packages already, used as it is; empty means an environment of the trainer's own."
    )
    torch_build: Literal["auto", "default"] = option(
        "auto", "'auto' asks for an address where torch's default build would leave the graphics card idle; 'default' "
        "takes the default build whatever card there is."
    )
    torch_index: str | None = option(
        None, "Address of torch's build for your graphics card, as PyTorch's install page shows it after --index-url."
    )
    package_index: str | None = option(None, "Address of a package index to use for everything instead of pip's own.")
    offline: bool = option(False, "Never use the network: take what is installed, or the folder of wheels.")
    wheels: Path | None = option(
        None, "Folder with wheel files, as 'pip download -r lib_trainer/jobs/requirements.txt torch==VERSION' fills it."
    )
    renew: bool = option(False, "Forget the last set-up and its choices, remove its environment and begin anew.")


@dataclass(frozen=True)
class _Setup:
    """All that one set-up needs."""

    options: EnvironmentOptions
    home: Path
    pins: Pins
    watch: Watch
    machine: Machine | None

    @property
    def folder(self) -> Path:
        return self.home / "engine"

    @property
    def scratch(self) -> Path:
        return self.home / "engine-downloads"


def ensure_engine(
    options: EnvironmentOptions,
    home: Path,
    on_event: OnEvent,
    should_stop: Callable[[], bool] = lambda: False,
    pins: Pins = SHIPPED,
    machine: Machine | None = None,
) -> Path:
    """The engine's Python, set up or brought up to date first if need be; a ready one is returned at once.

    The environment lies in `home/engine`. Where nothing is said of python, torch_build, torch_index and package_index,
    the choices of the last set-up hold. `machine` is this one unless given.

    Raises:
        ConfigError: an option's value can't be used, or two contradict each other.
        EngineError: the set-up failed; the message names the package and what to try.
        SetupStoppedError: `should_stop` said so; nothing half-done will be used.
        OutputError: `home` can't be written.
    """
    _check(options)
    home = Path(home).absolute()
    if not options.renew and (ready := _ready(options, home, pins)):
        return ready
    with setting_up(home, "engine", on_event, should_stop) as descriptor:
        if not options.renew and (ready := _ready(options, home, pins)):
            return ready
        watch = Watch(on_event, should_stop, (descriptor,))
        wishes = options if options.renew else _with_remembered(options, read_stamp(home), home)
        return _set_up(_Setup(wishes, home, pins, watch, machine))


def _check(options: EnvironmentOptions) -> None:
    if options.python is not None and not options.python.is_file():
        raise ConfigError(
            f"'python' is {options.python}, which is no file; name the program itself, such as "
            f"{venv_python(options.python)}."
        )
    if options.wheels is not None and not options.wheels.is_dir():
        raise ConfigError(f"'wheels' is {options.wheels}; there is no such folder. Name the one with the .whl files.")
    for name in ("torch_index", "package_index"):
        address = getattr(options, name)
        if address is None:
            continue
        if options.python is not None:
            raise ConfigError(f"'{name}' says where to install from, but 'python' installs nothing; give one of them.")
        if options.offline:
            raise ConfigError(f"'{name}' needs the network and 'offline' forbids it; give one of them.")
        if "://" not in address or " " in address.strip():
            raise ConfigError(f"'{name}' must be one address such as https://HOST/PATH; what was given is none.")


def _choices(wished: EnvironmentOptions | Stamp) -> tuple[str, str | None, str | None]:
    return wished.torch_build, wished.torch_index, wished.package_index


def _with_remembered(options: EnvironmentOptions, stamp: Stamp | None, home: Path) -> EnvironmentOptions:
    """The options with the last set-up's choices, unless they bring any of their own."""
    if stamp is None or options.python is not None or _choices(options) != _choices(EnvironmentOptions()):
        return options
    return replace(
        options,
        python=None if stamp.is_own else home / stamp.python,
        torch_build="default" if stamp.torch_build == "default" else "auto",
        torch_index=None if options.offline else stamp.torch_index,
        package_index=None if options.offline else stamp.package_index,
    )


def _ready(options: EnvironmentOptions, home: Path, pins: Pins) -> Path | None:
    """The Python that is set up as the options wish, if it is."""
    stamp, state = read_stamp(home), engine_state(home, pins)
    if stamp is None or state.python is None:
        return None
    return state.python if _has_what_is_wished(_with_remembered(options, stamp, home), stamp, home) else None


def _has_what_is_wished(wishes: EnvironmentOptions, stamp: Stamp, home: Path) -> bool:
    if wishes.python is not None:
        return not stamp.is_own and home / stamp.python == wishes.python.absolute()
    return stamp.is_own and (wishes.offline or stamp.torch_index == wishes.torch_index)


def _set_up(setup: _Setup) -> Path:
    began = time.monotonic()
    options, home = setup.options, setup.home
    if options.python is not None:
        if options.renew:
            remove_tree(setup.folder)
        python = options.python.absolute()
        cure = "Install these versions there, or renew (--renew) without a Python of yours: the trainer makes its own."
        held = check_packages(python, setup.pins, cure)
    else:
        python, held = _own_engine(setup)
    device = loaded_device(python)
    folder_of = {name: (version, relative(folder, home)) for name, (version, folder) in held.packages.items()}
    write_stamp(home, replace(_begun(setup, python), digest=setup.pins.digest, packages=folder_of))
    setup.watch.on_event(
        Notice(
            f"The engine is ready after {duration(time.monotonic() - began)}: {python} with torch "
            f"{held.packages['torch'][0]}, computing on {device}."
        )
    )
    return python


def _begun(setup: _Setup, python: Path) -> Stamp:
    """The stamp of a set-up that has begun: the user's choices without a digest."""
    build, torch_index, package_index = _choices(setup.options)
    return Stamp(
        python=relative(python, setup.home),
        is_own=setup.options.python is None,
        torch_build=build,
        torch_index=torch_index,
        package_index=package_index,
    )


def _own_engine(setup: _Setup) -> tuple[Path, Holding]:
    stamp, state = read_stamp(setup.home), engine_state(setup.home, setup.pins)
    _check_may_install(setup, state)
    python = venv_python(setup.folder)
    is_outdated = state.status == "outdated" and not setup.options.renew
    old = stamp if stamp and is_outdated and _has_what_is_wished(setup.options, stamp, setup.home) else None
    installer = Installer(python, setup.scratch, setup.home / "engine-setup.log", setup.watch)
    installer.log.unlink(missing_ok=True)
    write_stamp(setup.home, _begun(setup, python))
    try:
        if old is None:
            _new_venv(setup)
        _install(setup, installer)
        return python, check_packages(python, setup.pins, "Set up again with renew (--renew).")
    except (EngineError, KeyboardInterrupt):
        if old is not None and not installer.touched:
            write_stamp(setup.home, old)  # nothing was changed: the next attempt goes on from here
        raise
    finally:
        remove_tree(setup.scratch)


def _check_may_install(setup: _Setup, state: EngineState) -> None:
    options = setup.options
    if options.offline and options.wheels is None:
        raise EngineError(
            f"{state.message} But 'offline' forbids the network: give a folder of wheel files with wheels (--wheels) "
            "or an existing Python with python (--python), or set up once without offline."
        )
    check_python_version(sys.version_info[:3], "The trainer was started with")
    if sys.maxsize < 2**32:
        raise EngineError(f"{sys.executable} is a 32-bit Python and torch needs 64 bits; start with a 64-bit Python.")
    if options.torch_index is None and options.wheels is None:
        machine = setup.machine or this_machine()
        if options.torch_build == "auto" and (sentence := objection(machine)):
            raise EngineError(sentence)
        if sentence := remark(machine):
            setup.watch.on_event(Notice(sentence))


def _new_venv(setup: _Setup) -> None:
    version = ".".join(map(str, sys.version_info[:3]))
    setup.watch.on_event(Notice(f"Making the engine's environment in {setup.folder}, from Python {version}."))
    remove_tree(setup.folder)
    make_venv(setup.folder, setup.watch)


def _install(setup: _Setup, installer: Installer) -> None:
    """pip first, for its progress; the lock, which is complete, as it stands; then torch with what it brings."""
    options, pins = setup.options, setup.pins
    sources = Sources(options.package_index, options.wheels, options.offline)
    if pins.installer is not None and not options.offline:
        installer.install([pins.installer], 1, sources)
    installer.install(["--no-deps", "-r", str(pins.lock)], pins.locked, sources)
    installer.install([pins.torch], 1, replace(sources, index=options.torch_index or options.package_index))
