"""Where things lie."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lib_trainer.core import places
from lib_trainer.core.places import DATA_VARIABLE

ROOT = Path(__file__).parents[2]


@pytest.fixture
def no_variable(monkeypatch):
    monkeypatch.delenv(DATA_VARIABLE, raising=False)


@pytest.fixture
def in_webui(tmp_path, monkeypatch, no_variable):
    """A WebUI folder with this extension in it."""
    extension = tmp_path / "webui" / "extensions" / "trainer"
    extension.mkdir(parents=True)
    (tmp_path / "webui" / "models").mkdir()
    monkeypatch.setattr(places, "EXTENSION_ROOT", extension)
    return tmp_path / "webui"


def test_data_lies_in_the_extension(no_variable):
    assert places.data_folder() == ROOT / "data"


def test_the_variable_moves_the_data(tmp_path, monkeypatch):
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "elsewhere"))
    assert places.data_folder() == tmp_path / "elsewhere"
    assert places.cache_folder() == tmp_path / "elsewhere" / "cache"


def test_a_relative_variable_is_meant_from_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(DATA_VARIABLE, "mine")
    assert places.data_folder() == tmp_path / "mine"


def test_loras_go_where_the_webui_reads_them(in_webui):
    assert places.webui_root() == in_webui
    assert places.output_folder("lora") == in_webui / "models" / "Lora"


def test_loras_go_to_the_webui_even_when_the_data_is_elsewhere(in_webui, tmp_path, monkeypatch):
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "elsewhere"))
    assert places.output_folder("lora") == in_webui / "models" / "Lora"


def test_without_a_webui_loras_go_to_our_own_data(tmp_path, monkeypatch, no_variable):
    monkeypatch.setattr(places, "EXTENSION_ROOT", tmp_path / "trainer")
    assert places.webui_root() is None
    assert places.output_folder("lora") == tmp_path / "trainer" / "data" / "models" / "Lora"


def test_a_folder_named_extensions_without_models_is_no_webui(tmp_path, monkeypatch):
    (tmp_path / "extensions" / "trainer").mkdir(parents=True)
    monkeypatch.setattr(places, "EXTENSION_ROOT", tmp_path / "extensions" / "trainer")
    assert places.webui_root() is None


def copied(folder):
    """The modules that `places` needs, as an extension in this folder."""
    (folder / "lib_trainer" / "core").mkdir(parents=True)
    for name in ("__init__.py", "core/__init__.py", "core/places.py", "core/outputs.py", "core/errors.py"):
        shutil.copy(ROOT / "lib_trainer" / name, folder / "lib_trainer" / name)


def lora_folder_of(extension, working_folder):
    code = "from lib_trainer.core.places import output_folder; print(output_folder('lora'))"
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(extension)!r}); {code}"]
    done = subprocess.run(command, cwd=working_folder, capture_output=True, text=True, check=True)
    return Path(done.stdout.strip())


def test_an_extension_that_is_linked_into_the_webui_finds_it(tmp_path, no_variable):
    copied(tmp_path / "sources" / "trainer")
    (tmp_path / "webui" / "extensions").mkdir(parents=True)
    (tmp_path / "webui" / "models").mkdir()
    link = tmp_path / "webui" / "extensions" / "trainer"
    try:
        link.symlink_to(tmp_path / "sources" / "trainer", target_is_directory=True)
    except OSError:
        pytest.skip("links are not allowed here")
    assert lora_folder_of(link, tmp_path) == tmp_path / "webui" / "models" / "Lora"
