"""What the WebUI finds at the top of the extension: its flags, its line at the start, its callbacks."""

from __future__ import annotations

import argparse
import os
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from lib_trainer.core.places import DATA_VARIABLE
from lib_trainer.ui.webui import registration

ROOT = Path(__file__).parents[3]


def parsed(*flags):
    parser = argparse.ArgumentParser()
    runpy.run_path(str(ROOT / "preload.py"))["preload"](parser)
    return parser.parse_args(flags)


def install(tmp_path, **variables):
    """What install.py prints, run as the WebUI does it: in the WebUI's own folder, by another Python."""
    environment = {**os.environ, "PYTHONPATH": "", **variables}
    return subprocess.run(
        [sys.executable, "-S", str(ROOT / "install.py")], cwd=tmp_path, env=environment, capture_output=True, text=True,
        check=True,
    ).stdout  # fmt: skip


def test_the_flags_are_there_and_say_nothing_by_default():
    flags = parsed()
    assert (flags.trainer_dir, flags.trainer_python, flags.trainer_any_folder) == (None, None, False)
    flags = parsed("--trainer-dir", "a", "--trainer-python", "b", "--trainer-any-folder")
    assert (flags.trainer_dir, flags.trainer_python, flags.trainer_any_folder) == ("a", "b", True)


def test_install_says_in_one_line_how_the_engine_stands(tmp_path):
    told = install(tmp_path)
    assert told.startswith("Trainer: The engine is not set up yet")
    assert told.count("\n") == 1
    assert os.environ[DATA_VARIABLE] in told


def test_install_sees_the_folder_of_commandline_args(tmp_path):
    folder = tmp_path / "my data"
    assert str(folder) in install(tmp_path, COMMANDLINE_ARGS=f'--listen --trainer-dir "{folder}"')


def test_install_makes_nothing(tmp_path):
    install(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def callbacks(webui):
    """Name -> what was registered under it, after the script ran."""
    registered = {}
    names = ("on_ui_tabs", "on_ui_settings", "on_before_ui", "on_app_started", "on_script_unloaded")
    known = {name: lambda function, name=name: registered.update({name: function}) for name in names}
    sys.modules["modules.script_callbacks"] = SimpleNamespace(**known)
    sys.modules["modules"].script_callbacks = sys.modules["modules.script_callbacks"]
    registration._server.cache_clear()
    runpy.run_path(str(ROOT / "scripts" / "trainer.py"))
    yield registered
    registration._server().end()
    registration._server.cache_clear()
    del sys.modules["modules.script_callbacks"]


def test_the_script_registers_and_does_nothing_else(webui, callbacks):
    assert len(callbacks) == 5
    assert webui.log == []
    assert not Path(os.environ[DATA_VARIABLE]).exists()


def test_the_settings_are_registered(webui, callbacks):
    callbacks["on_ui_settings"]()
    assert "trainer_lora_folder" in webui.shared.opts.data_labels


def test_the_routes_stand_in_each_new_app_and_one_server_answers(webui, callbacks, monkeypatch):
    mounted = []
    monkeypatch.setitem(sys.modules, "lib_trainer.ui.mount", SimpleNamespace(mount=lambda *it: mounted.append(it)))
    callbacks["on_app_started"]("a page", "an app")
    callbacks["on_script_unloaded"]()
    runpy.run_path(str(ROOT / "scripts" / "trainer.py"))  # Reload UI
    callbacks["on_app_started"](None, "the next app")  # --nowebui has no page
    assert [app for app, _ in mounted] == ["an app", "the next app"]
    assert mounted[0][1] is mounted[1][1]


def test_the_flag_for_the_data_folder_holds_for_everything(webui, callbacks, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    webui.shared.cmd_opts.trainer_dir = "my data"
    runpy.run_path(str(ROOT / "scripts" / "trainer.py"))
    assert os.environ[DATA_VARIABLE] == str(tmp_path / "my data")
    assert registration._server().home == tmp_path / "my data"
