"""The engine's environment, made by the real venv and pip from tiny wheels; no test here needs a network."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
import zipfile
from pathlib import Path

import pytest

from lib_trainer.core.errors import ConfigError, EngineError, OutputError
from lib_trainer.core.events import Notice, Progress
from lib_trainer.jobs.child_processes import SetupStoppedError
from lib_trainer.jobs.environment import EnvironmentOptions, ensure_engine
from lib_trainer.jobs.installer import make_venv, venv_python
from lib_trainer.jobs.machine import Card, Machine
from lib_trainer.jobs.pins import Pins
from lib_trainer.jobs.setup_lock import setup_lock
from lib_trainer.jobs.stamp import engine_state, read_stamp

ROOT = Path(__file__).parents[2]
PLAIN = Machine("Linux", "x86_64")
NOWHERE = "http://127.0.0.1:9/simple"
TORCH = """
class absent:
    @staticmethod
    def is_available():
        return False
cuda = xpu = absent
class backends:
    mps = absent
"""


def wheel(folder, name, version, code="", requires=""):
    """A real wheel of one module."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    needs = f"Requires-Dist: {requires}\n" if requires else ""
    files = {
        f"{name}.py": code,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    file = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return file


def index(folder, *files):
    """A package index in a folder; returns its address."""
    for file in files:
        page = folder / file.name.partition("-")[0].replace("_", "-") / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        old = page.read_text(encoding="utf-8") if page.exists() else ""
        page.write_text(f'{old}<a href="{file.as_uri()}">{file.name}</a>\n', encoding="utf-8")
    return folder.as_uri()


def copied(source, target):
    """A copy of an environment; pip itself, most of its files, is linked."""

    def copy(file, place):
        try:
            return os.link(file, place) if f"{os.sep}pip{os.sep}" in str(file) else shutil.copy2(file, place)
        except OSError:
            return shutil.copy2(file, place)

    shutil.copytree(source, target, symlinks=True, copy_function=copy)


def pins(folder, small="1.0", torch="1.0"):
    """Direct pins torch and small-part (small_part on the disk), and a lock with a package that no system needs."""
    folder.mkdir(parents=True, exist_ok=True)
    direct, lock = folder / "requirements.in", folder / "requirements.txt"
    direct.write_text(f"torch=={torch}\nsmall-part=={small}\n", encoding="utf-8")
    lock.write_text(f"small-part=={small}\nnowhere==1.0 ; sys_platform == 'nowhere'\n", encoding="utf-8")
    return Pins(direct, lock, None)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheels")
    wheel(folder, "torch", "1.0", TORCH, requires="torchneeds")
    wheel(folder, "torchneeds", "1.0")
    wheel(folder, "small_part", "1.0", "VERSION = 1")
    wheel(folder, "small_part", "2.0", "VERSION = 2")
    return folder


@pytest.fixture(scope="module")
def first_setup(wheels, tmp_path_factory):
    """(home, pins, events) of one set-up, which tests copy instead of making their own; beside it the bare `venv`."""
    home = tmp_path_factory.mktemp("first") / "home"
    wanted = pins(home.parent / "pins")
    events = []

    def make_and_keep(folder, watch):
        make_venv(folder, watch)
        copied(folder, home.parent / "venv")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lib_trainer.jobs.environment.make_venv", make_and_keep)
        patch.setenv("PIP_CONFIG_FILE", os.devnull)
        ensure_engine(EnvironmentOptions(offline=True, wheels=wheels), home, events.append, pins=wanted, machine=PLAIN)
    return home, wanted, events


@pytest.fixture
def home(first_setup, tmp_path):
    """A folder in which the engine is ready, with a file in it that survives only as long as the environment does."""
    copied(first_setup[0], tmp_path / "home")
    (tmp_path / "home" / "engine" / "survivor").touch()
    return tmp_path / "home"


@pytest.fixture
def _quick_venv(first_setup, monkeypatch):
    """New environments are copies of the first one, which saves seconds for each."""
    bare = first_setup[0].parent / "venv"
    monkeypatch.setattr("lib_trainer.jobs.environment.make_venv", lambda folder, _: copied(bare, folder))


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    """Whoever asks the usual index fails at once, and this machine's pip configuration does not help."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", NOWHERE)
    monkeypatch.setenv("PIP_RETRIES", "0")
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)


def ensure(home, wanted, should_stop=lambda: False, machine=PLAIN, **options):
    """(python, events) of a set-up."""
    events = []
    return ensure_engine(EnvironmentOptions(**options), home, events.append, should_stop, wanted, machine), events


def survives(home):
    return (home / "engine" / "survivor").exists()


def imported(python, expression):
    """The value of an expression about the engine's packages."""
    code = f"import torch, small_part; print({expression})"
    return subprocess.run([str(python), "-I", "-c", code], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.option("EnvironmentOptions.wheels")
def test_a_set_up_engine_has_the_lock_and_torch_with_what_torch_needs(first_setup):
    home, wanted, _ = first_setup
    state = engine_state(home, wanted)
    assert (state.status, state.python) == ("ready", venv_python(home / "engine"))
    assert imported(state.python, "small_part.VERSION, bool(__import__('torchneeds'))") == "1 True"


def test_the_set_up_tells_what_it_does_how_far_it_is_and_how_it_ended(first_setup):
    events = first_setup[2]
    assert "Making the engine's environment" in events[0].message
    stages = [(event.stage, event.done, event.total, event.unit) for event in events if isinstance(event, Progress)]
    assert ("Looking up packages", 1, 1, "packages") in stages  # the lock's second package is for another system
    assert ("Installing packages", 2, 2, "packages") in stages  # torch and what it needs
    assert events[-1].message.startswith("The engine is ready after ")
    assert events[-1].message.endswith("with torch 1.0, computing on the CPU.")


def test_nothing_but_engine_stamp_lock_and_log_is_left_behind(first_setup):
    names = {path.name for path in first_setup[0].iterdir()}
    assert names == {"engine", "engine.json", "engine.lock", "engine-setup.log"}


def test_a_ready_engine_is_returned_at_once_and_nothing_is_started(home, first_setup, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", None)
    began = time.monotonic()
    python, events = ensure(home, first_setup[1])
    assert time.monotonic() - began < 0.2
    assert python == venv_python(home / "engine")
    assert events == []


def test_a_folder_that_was_moved_keeps_its_engine(home, first_setup):
    moved = home.rename(home.with_name("moved home"))
    state = engine_state(moved, first_setup[1])
    assert state.status == "ready"
    assert imported(state.python, "small_part.VERSION") == "1"


def test_without_a_set_up_the_engine_is_absent(tmp_path, first_setup):
    state = engine_state(tmp_path, first_setup[1])
    assert (state.status, state.python) == ("absent", None)
    assert "not set up yet" in state.message


def test_changed_pins_bring_the_environment_up_to_date_in_place(home, wheels, tmp_path, monkeypatch):
    for name in ("PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PYTHONPATH", "PYTHONHOME"):
        monkeypatch.setenv(name, str(tmp_path / "of the host"))
    wanted = pins(tmp_path / "pins", small="2.0")
    assert engine_state(home, wanted).status == "outdated"
    python, _ = ensure(home, wanted, offline=True, wheels=wheels)
    assert imported(python, "small_part.VERSION") == "2"
    assert survives(home)
    assert engine_state(home, wanted).status == "ready"


def test_a_change_that_fails_before_it_changes_anything_can_be_tried_again(home, first_setup, wheels, tmp_path):
    wanted = pins(tmp_path / "pins", small="9.9")
    with pytest.raises(EngineError, match=r"failed at small-part==9\.9\. .* there is no such version"):
        ensure(home, wanted, offline=True, wheels=wheels)
    assert engine_state(home, wanted).status == "outdated"
    assert engine_state(home, first_setup[1]).status == "ready"
    assert survives(home)


def test_without_a_network_the_sentence_says_so_and_names_the_package(home, tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_RETRIES", "1")
    wanted = pins(tmp_path / "pins", small="2.0")
    with pytest.raises(EngineError) as caught:
        ensure(home, wanted)
    sentence, _, lines = str(caught.value).partition("\n")
    assert sentence.startswith("Setting up the engine failed at small-part==2.0. There is no network")
    assert "--package-index" in sentence
    assert "No matching distribution found for small-part==2.0" in lines
    assert "Retrying" not in lines


@pytest.mark.usefixtures("_quick_venv")
def test_a_set_up_that_was_not_ended_is_not_used_and_done_anew(home, first_setup, wheels):
    stamp = home / "engine.json"
    stamp.write_text(json.dumps({**json.loads(stamp.read_text()), "digest": "", "packages": {}}))
    assert engine_state(home, first_setup[1]).status == "absent"
    ensure(home, first_setup[1], offline=True, wheels=wheels)
    assert not survives(home)
    assert engine_state(home, first_setup[1]).status == "ready"


@pytest.mark.parametrize("lost", ["torch-1.0.dist-info", "the Python"])
def test_a_damaged_engine_is_seen_and_not_used(home, first_setup, lost):
    if lost == "the Python":
        venv_python(home / "engine").unlink()
    else:
        shutil.rmtree(next((home / "engine").rglob(lost)))
    state = engine_state(home, first_setup[1])
    assert (state.status, state.python) == ("absent", None)
    assert "damaged" in state.message


def test_a_python_that_lost_the_one_it_was_made_from_is_not_used(home, first_setup):
    settings = home / "engine" / "pyvenv.cfg"
    lines = settings.read_text(encoding="utf-8").splitlines()
    gone = [f"home = {home / 'gone'}" if line.startswith("home") else line for line in lines]
    settings.write_text("\n".join(gone), encoding="utf-8")
    assert "made from" in engine_state(home, first_setup[1]).message


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"packages": {}}', '{"packages": {"torch": 1}}'])
def test_a_broken_stamp_counts_as_none(home, first_setup, content):
    (home / "engine.json").write_text(content)
    assert engine_state(home, first_setup[1]).status == "absent"


@pytest.mark.usefixtures("_quick_venv")
@pytest.mark.skipif(os.name == "nt", reason="kill -9 is a matter of POSIX")
def test_after_a_kill_in_the_middle_the_engine_is_not_used_until_set_up_again(first_setup, wheels, tmp_path):
    home, wanted = tmp_path / "home", first_setup[1]
    script = f"""
        from pathlib import Path
        from lib_trainer.jobs.environment import EnvironmentOptions, ensure_engine
        from lib_trainer.jobs.pins import Pins
        pins = Pins(Path({str(wanted.direct)!r}), Path({str(wanted.lock)!r}), None)
        options = EnvironmentOptions(offline=True, wheels=Path({str(wheels)!r}))
        ensure_engine(options, Path({str(home)!r}), lambda event: print(event.to_line(), flush=True), pins=pins)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if "progress" in line:
                process.send_signal(signal.SIGKILL)
                break
    assert engine_state(home, wanted).status == "absent"
    (home / "engine" / "survivor").touch()
    python, _ = ensure(home, wanted, offline=True, wheels=wheels)
    assert imported(python, "small_part.VERSION") == "1"
    assert not survives(home)


def test_a_stopped_set_up_ends_soon_and_leaves_nothing_that_is_used(first_setup, wheels, tmp_path):
    events, wanted = [], first_setup[1]
    options = EnvironmentOptions(offline=True, wheels=wheels)
    with pytest.raises(SetupStoppedError):
        ensure_engine(options, tmp_path, events.append, lambda: bool(events), wanted, PLAIN)
    assert engine_state(tmp_path, wanted).status == "absent"
    assert not (tmp_path / "engine-downloads").exists()


def test_a_second_set_up_waits_for_the_first_and_uses_what_it_made(home, first_setup):
    stamp = (home / "engine.json").read_bytes()
    (home / "engine.json").unlink()
    told, result = threading.Event(), []

    def second():
        result.append(ensure_engine(EnvironmentOptions(), home, lambda _: told.set(), pins=first_setup[1]))

    with setup_lock(home / "engine.lock", lambda: None, lambda: False):
        waiting = threading.Thread(target=second, daemon=True)
        waiting.start()
        assert told.wait(10)
        (home / "engine.json").write_bytes(stamp)
    waiting.join(10)
    assert result == [venv_python(home / "engine")]


def test_waiting_for_another_set_up_can_be_stopped(home):
    with setup_lock(home / "engine.lock", lambda: None, lambda: False):
        (home / "engine.json").unlink()
        with pytest.raises(SetupStoppedError, match="while it waited"):
            ensure(home, Pins(home, home, None), should_stop=lambda: True)


@pytest.mark.option("EnvironmentOptions.python")
def test_an_existing_python_with_every_pin_is_used_and_remembered(home, first_setup, tmp_path):
    python, other = venv_python(home / "engine"), tmp_path / "other"
    assert ensure(other, first_setup[1], python=python)[0] == python
    assert not (other / "engine").exists()
    assert ensure(other, first_setup[1]) == (python, [])


def test_an_existing_python_whose_packages_differ_is_refused_with_each_difference(home, wheels, tmp_path):
    wanted = pins(tmp_path / "pins", small="2.0")
    wanted.direct.write_text(wanted.direct.read_text() + "third==1.0\n")
    with pytest.raises(EngineError, match=r"small-part is 1\.0 instead of 2\.0; third 1\.0 is missing"):
        ensure(tmp_path / "other", wanted, python=venv_python(home / "engine"))
    assert read_stamp(tmp_path / "other") is None


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for a Python is a shell script")
@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ("echo hello", "does not run as a Python"),
        ("echo '{\"version\": [3, 9, 2], \"found\": {}}'", r"Python 3\.9\.2, but the engine's packages"),
    ],
)
def test_what_is_no_fitting_python_is_refused(tmp_path, first_setup, lines, sentence):
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{lines}\n")
    python.chmod(0o755)
    with pytest.raises(EngineError, match=sentence):
        ensure(tmp_path / "home", first_setup[1], python=python)


def test_torch_that_cannot_be_loaded_is_reported_with_its_last_line(home, first_setup, tmp_path):
    torch = next((home / "engine").rglob("torch.py"))
    torch.write_text("raise ImportError('libgomp.so.1: cannot open shared object file')")
    with pytest.raises(EngineError, match=r"can't be loaded: ImportError: libgomp\.so\.1"):
        ensure(tmp_path / "other", first_setup[1], python=venv_python(home / "engine"))


@pytest.mark.usefixtures("_quick_venv")
@pytest.mark.option("EnvironmentOptions.package_index", "EnvironmentOptions.torch_index")
@pytest.mark.option("EnvironmentOptions.torch_build")
def test_each_index_is_used_for_what_it_is_for_and_remembered(wheels, tmp_path):
    special = wheel(tmp_path / "special", "torch", "1.0+special", TORCH)
    everything = index(tmp_path / "everything", *wheels.iterdir())
    home, wanted = tmp_path / "home", pins(tmp_path / "pins")
    amd = Machine("Linux", "x86_64", (Card("AMD", "an AMD card"),))

    with pytest.raises(EngineError, match="AMD card"):
        ensure(home, wanted, machine=amd, package_index=everything)
    assert not (home / "engine").exists()
    ensure(home, wanted, machine=amd, package_index=everything, torch_build="default")
    assert read_stamp(home).packages["torch"][0] == "1.0"
    (home / "engine" / "survivor").touch()

    address = index(tmp_path / "for torch", special)
    ensure(home, wanted, machine=amd, package_index=everything, torch_index=address)
    assert read_stamp(home).packages["torch"][0] == "1.0+special"
    assert not survives(home)
    assert ensure(home, wanted, machine=amd)[1] == []


@pytest.mark.option("EnvironmentOptions.offline")
def test_offline_asks_neither_an_index_nor_the_users_configuration(home, wheels, tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", index(tmp_path / "everything", *wheels.iterdir()))
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    (tmp_path / "empty").mkdir()
    wanted = pins(tmp_path / "pins", small="2.0")
    with pytest.raises(EngineError, match=r"failed at small-part==2\.0"):
        ensure(home, wanted, offline=True, wheels=tmp_path / "empty")
    with pytest.raises(EngineError, match=r"'offline' forbids the network: give a folder of wheel files"):
        ensure(home, wanted, offline=True)
    ensure(home, wanted)
    assert engine_state(home, wanted).status == "ready"


def test_the_installer_is_renewed_unless_offline(home, wheels, tmp_path):
    wanted = dataclasses.replace(pins(tmp_path / "pins", small="2.0"), installer="no-such-installer")
    with pytest.raises(EngineError, match="failed at no-such-installer"):
        ensure(home, wanted, wheels=wheels)
    ensure(home, wanted, wheels=wheels, offline=True)
    assert engine_state(home, wanted).status == "ready"


@pytest.mark.usefixtures("_quick_venv")
@pytest.mark.option("EnvironmentOptions.renew")
def test_renewing_makes_the_environment_anew_and_forgets_what_was_chosen(home, first_setup, wheels):
    stamp = home / "engine.json"
    stamp.write_text(json.dumps({**json.loads(stamp.read_text()), "torch_index": "https://for.torch/x"}))
    assert ensure(home, first_setup[1]) == (venv_python(home / "engine"), [])
    ensure(home, first_setup[1], renew=True, offline=True, wheels=wheels)
    assert not survives(home)
    assert read_stamp(home).torch_index is None


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"python": ROOT}, "'python' is .*, which is no file; name the program itself"),
        ({"wheels": ROOT / "no such"}, "'wheels' is .*no such; there is no such folder"),
        ({"torch_index": "cu126"}, "'torch_index' must be one address"),
        ({"package_index": "--index-url https://a.b/c"}, "'package_index' must be one address"),
        ({"torch_index": "https://a.b/c", "offline": True}, "'torch_index' needs the network and 'offline' forbids it"),
        ({"package_index": "https://a.b/c", "python": Path(sys.executable)}, "'python' installs nothing"),
    ],
)
def test_options_that_cannot_be_used_are_refused_by_name(tmp_path, first_setup, options, sentence):
    with pytest.raises(ConfigError, match=sentence):
        ensure(tmp_path / "home", first_setup[1], **options)
    assert not (tmp_path / "home").exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path, first_setup):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"The folder .*file.home can't be written"):
        ensure(tmp_path / "file" / "home", first_setup[1])


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for a Python is a shell script")
def test_a_python_without_ensurepip_is_told_what_to_install(tmp_path, first_setup, wheels, monkeypatch):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 'It was not created because ensurepip is not available.'\nexit 1\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    version = ".".join(map(str, sys.version_info[:2]))
    with pytest.raises(EngineError, match=f"install python{version}-venv"):
        ensure(tmp_path / "home", first_setup[1], offline=True, wheels=wheels)


def test_a_remark_about_the_machine_is_a_notice(home, wheels, tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    _, events = ensure(home, pins(tmp_path / "pins", small="2.0"))
    assert isinstance(events[0], Notice)
    assert "No graphics card was found" in events[0].message
