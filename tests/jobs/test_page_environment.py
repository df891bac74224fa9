"""The page's environment, made by the real venv and pip from a tiny gradio; no test here needs a network."""

from __future__ import annotations

import os
import re
import subprocess

import pytest
from test_environment import NOWHERE, copied, index, wheel

from lib_trainer.core.errors import ConfigError, EngineError, OutputError
from lib_trainer.core.events import Notice, Progress
from lib_trainer.jobs.child_processes import SetupStoppedError
from lib_trainer.jobs.installer import make_venv, venv_python
from lib_trainer.jobs.page_environment import PAGE_PINS, PageEnvironmentOptions, ensure_page, ready_page
from lib_trainer.jobs.pins import Pins

LINES = [line for line in PAGE_PINS.lock.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]


def pins(folder, version="1.0"):
    folder.mkdir(parents=True, exist_ok=True)
    direct, lock = folder / "page.in", folder / "page.txt"
    for file in (direct, lock):
        file.write_text(f"gradio=={version}\n", encoding="utf-8")
    return Pins(direct, lock, None)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheels")
    wheel(folder, "gradio", "1.0", "VERSION = 1")
    wheel(folder, "gradio", "2.0", "VERSION = 2")
    wheel(folder, "gradio", "3.0", "import numpy_of_nowhere")
    return folder


@pytest.fixture(scope="module")
def first(wheels, tmp_path_factory):
    """(home, events) of one set-up, which tests copy; beside it the bare `venv`."""
    home, events = tmp_path_factory.mktemp("first") / "home", []

    def make_and_keep(folder, watch):
        python = make_venv(folder, watch)
        copied(folder, home.parent / "venv")
        return python

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lib_trainer.jobs.page_environment.make_venv", make_and_keep)
        patch.setenv("PIP_CONFIG_FILE", os.devnull)
        options = PageEnvironmentOptions(offline=True, wheels=wheels)
        ensure_page(options, home, events.append, pins=pins(home.parent / "pins"))
    return home, events


@pytest.fixture
def home(first, tmp_path):
    copied(first[0], tmp_path / "home")
    (tmp_path / "home" / "page" / "survivor").touch()
    return tmp_path / "home"


@pytest.fixture(autouse=True)
def _quick_and_without_a_network(first, monkeypatch):
    """New environments are copies of the first one; whoever asks the usual index fails at once."""

    def copy(folder, _):
        copied(first[0].parent / "venv", folder)
        return venv_python(folder)

    monkeypatch.setattr("lib_trainer.jobs.page_environment.make_venv", copy)
    for name, value in {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": NOWHERE, "PIP_RETRIES": "0"}.items():
        monkeypatch.setenv(name, value)
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)


def ensure(home, wanted, should_stop=lambda: False, **options):
    events = []
    return ensure_page(PageEnvironmentOptions(**options), home, events.append, should_stop, wanted), events


def version_in(python):
    code = "import gradio; print(gradio.VERSION)"
    return subprocess.run([str(python), "-I", "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_the_lock_pins_everything_exactly_and_brings_nothing_of_torch():
    assert [line for line in LINES if not re.fullmatch(r"[a-z0-9-]+==[0-9][\w.]*( ; .+)?", line)] == []
    names = {line.partition("==")[0] for line in LINES}
    assert {"gradio", "starlette", "fastapi", "uvicorn"} <= names
    assert not {name for name in names if re.match("torch|nvidia|cuda|triton|diffusers|transformers", name)}
    assert PAGE_PINS.versions.items() <= {tuple(line.partition(" ")[0].split("==")) for line in LINES}


@pytest.mark.option("PageEnvironmentOptions.wheels", "PageEnvironmentOptions.offline")
def test_it_is_made_and_says_how_far_it_is_and_how_large_it_gets(first):
    home, events = first
    assert version_in(ready_page(home, pins(home.parent / "pins"))) == "1"
    said = [event.message for event in events if isinstance(event, Notice)]
    assert "80 MB to load, 350 MB on the disk" in said[0]
    assert said[-1].startswith("The page's environment is ready after ")
    assert ("Installing packages", 1) in [(event.stage, event.done) for event in events if isinstance(event, Progress)]
    assert {path.name for path in home.iterdir()} == {"page", "page.lock", "page-setup.log"}


def test_a_ready_one_is_returned_at_once_and_nothing_is_started(home, tmp_path, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", None)
    python, events = ensure(home, pins(tmp_path / "pins"))
    assert (python, events) == (venv_python(home / "page"), [])


@pytest.mark.parametrize("lost", ["trainer-stamp", "bin/python"])
def test_a_half_made_or_damaged_one_is_not_used_and_made_anew(home, wheels, tmp_path, lost):
    wanted = pins(tmp_path / "pins")
    (home / "page" / lost).unlink()
    assert ready_page(home, wanted) is None
    python, _ = ensure(home, wanted, offline=True, wheels=wheels)
    assert version_in(python) == "1"
    assert not (home / "page" / "survivor").exists()


@pytest.mark.option("PageEnvironmentOptions.package_index")
def test_changed_pins_make_it_anew_from_the_index_that_was_named(home, wheels, tmp_path):
    python, _ = ensure(home, pins(tmp_path / "pins", "2.0"), package_index=index(tmp_path / "index", *wheels.glob("*")))
    assert version_in(python) == "2"


def test_without_a_network_the_sentence_names_the_page_and_the_package(home, tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(EngineError, match=r"^Setting up the page failed at gradio==2\.0\. There is no network"):
        ensure(home, pins(tmp_path / "pins", "2.0"))
    assert ready_page(home, pins(tmp_path / "pins", "2.0")) is None


def test_a_gradio_that_cannot_be_loaded_is_told_and_never_counts_as_ready(home, wheels, tmp_path):
    wanted = pins(tmp_path / "pins", "3.0")
    with pytest.raises(EngineError, match=r"can't be loaded: .*No module named 'numpy_of_nowhere'"):
        ensure(home, wanted, offline=True, wheels=wheels)
    assert ready_page(home, wanted) is None


def test_a_set_up_that_is_stopped_leaves_nothing_that_would_be_used(home, wheels, tmp_path):
    wanted = pins(tmp_path / "pins", "2.0")
    with pytest.raises(SetupStoppedError):
        ensure(home, wanted, lambda: True, offline=True, wheels=wheels)
    assert ready_page(home, wanted) is None


def test_options_that_cannot_be_used_are_refused_with_a_cure(tmp_path):
    wanted = pins(tmp_path / "pins")
    with pytest.raises(EngineError, match=r"'offline' forbids the network: give a folder of wheel files"):
        ensure(tmp_path / "home", wanted, offline=True)
    with pytest.raises(ConfigError, match=r"'wheels' is .*nowhere; there is no such folder"):
        ensure(tmp_path / "home", wanted, wheels=tmp_path / "nowhere")
    with pytest.raises(ConfigError, match=r"'package_index' needs the network and 'offline' forbids it"):
        ensure(tmp_path / "home", wanted, offline=True, package_index=NOWHERE)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="can't be written"):
        ensure(tmp_path / "file" / "home", wanted)
