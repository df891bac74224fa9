"""The shipped recipes."""

from __future__ import annotations

import pytest

from lib_trainer.core.configs import dump, load, merge
from lib_trainer.core.errors import ConfigError
from lib_trainer.presets import FOLDER, preset_names, read_preset
from lib_trainer.steps import STEPS

MUST_BE_GIVEN = {
    "promptlog": {"files": ["/log.csv"]},
    "import": {"source": ["/pictures.zip"]},
    "check": {"folder": "/pictures"},
    "duplicates": {"folder": "/pictures"},
    "caption": {"folder": "/pictures"},
    "reword": {"folder": "/pictures"},
    "fetch": {"model": "wd-vit-tagger-v3"},
    "export": {"folder": "/pictures"},
    "inspect": {"folder": "/pictures"},
    "prepare": {"folder": "/pictures"},
    "plan": {"model": "/model.safetensors", "dataset": {"folder": "/pictures"}},
    "train": {"model": "/model.safetensors", "dataset": {"folder": "/pictures"}},
    "compare": {"model": "/model.safetensors", "networks": ["/lora"], "output": "/out", "prompts": ["a cat"]},
}
PRESETS = [(step, name) for step in STEPS for name in preset_names(step)]


def test_every_file_is_a_preset_of_a_step():
    assert sorted(path.stem for path in FOLDER.glob("*.*") if path.suffix != ".py") == sorted(
        f"{step}-{name}" for step, name in PRESETS
    )
    assert PRESETS


@pytest.mark.parametrize(("step", "name"), PRESETS)
def test_a_preset_is_complete_but_for_what_must_be_given(step, name):
    options = STEPS[step].options
    loaded = load(options, merge(read_preset(step, name), MUST_BE_GIVEN[step]))
    assert loaded != load(options, MUST_BE_GIVEN[step])


@pytest.mark.parametrize(("step", "name"), PRESETS)
def test_a_preset_leaves_to_the_user_what_is_his(step, name):
    preset = read_preset(step, name)
    assert "model" not in preset
    assert "folder" not in preset.get("dataset", {})


@pytest.mark.parametrize("step", STEPS)
def test_the_defaults_of_each_step_come_back_from_their_dump(step):
    config = load(STEPS[step].options, MUST_BE_GIVEN[step])
    assert load(STEPS[step].options, dump(config)) == config


def test_an_unknown_preset_is_refused_with_those_there_are():
    with pytest.raises(ConfigError, match=r"Unknown preset 'stile' for train\. Did you mean 'style'\?"):
        read_preset("train", "stile")


def test_a_step_without_presets_says_so():
    with pytest.raises(ConfigError, match=r"Unknown preset 'x' for prepare. Available: none."):
        read_preset("prepare", "x")
