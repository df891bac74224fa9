"""Recipe files, JSON and TOML."""

from __future__ import annotations

import sys

import pytest

from lib_trainer.core.configs import read_recipe
from lib_trainer.core.errors import ConfigError


def written(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def test_a_json_recipe_is_read(tmp_path):
    assert read_recipe(written(tmp_path, "a.json", '{"epochs": 3, "dataset": {"trigger": "ü"}}')) == {
        "epochs": 3,
        "dataset": {"trigger": "ü"},
    }


def test_a_byte_order_mark_from_a_windows_editor_does_no_harm(tmp_path):
    assert read_recipe(written(tmp_path, "a.json", b'\xef\xbb\xbf{"epochs": 3}')) == {"epochs": 3}


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 has no TOML reader")
def test_a_toml_recipe_is_read(tmp_path):
    assert read_recipe(written(tmp_path, "a.toml", 'epochs = 3\n[dataset]\ntrigger = "x"\n')) == {
        "epochs": 3,
        "dataset": {"trigger": "x"},
    }


def test_python_310_says_that_it_can_not_read_toml_and_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr("lib_trainer.core.configs.sys.version_info", (3, 10, 13))
    with pytest.raises(ConfigError, match=r"a\.toml is TOML, which Python 3\.10 can't read; save the recipe as JSON"):
        read_recipe(written(tmp_path, "a.toml", "epochs = 3"))


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.json", '{"epochs": 3', r"a\.json is not valid JSON: .*line 1"),
        ("a.json", "[1, 2]", r"a\.json holds a list; it must be a table of options"),
        ("a.json", "", r"a\.json is not valid JSON"),
        ("a.json", b"\xff\xfe\x00", r"a\.json can't be read .*give a \.json or \.toml file"),
        ("recipe", "epochs = 3", r"recipe is not valid JSON"),
    ],
)
def test_a_recipe_that_can_not_be_used_is_named_with_its_fault(tmp_path, name, content, sentence):
    with pytest.raises(ConfigError, match=sentence):
        read_recipe(written(tmp_path, name, content))


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 has no TOML reader")
def test_broken_toml_is_named_with_its_place(tmp_path):
    with pytest.raises(ConfigError, match=r"a\.toml is not valid TOML: .*line 1"):
        read_recipe(written(tmp_path, "a.toml", "epochs = = 3"))


def test_a_missing_recipe_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.json can't be read"):
        read_recipe(tmp_path / "nowhere.json")
