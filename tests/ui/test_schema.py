"""Options as the page gets them."""

from __future__ import annotations

import json

import pytest

from lib_trainer.comparison.options import CompareOptions
from lib_trainer.core.complaints import option_paths
from lib_trainer.core.configs import load, merge
from lib_trainer.jobs.environment import EnvironmentOptions
from lib_trainer.steps import STEPS
from lib_trainer.training.options import TrainingOptions
from lib_trainer.ui.schema import schema

CLASSES = [step.options for step in STEPS.values()] + [EnvironmentOptions]


def flat(options):
    """{path: OPTION} of all options at every depth."""
    found = {}
    for option in options:
        found[option["path"]] = option
        found.update(flat(option.get("options", [])))
        for entry in option.get("entries", {}).values():
            found.update(flat(entry["options"]))
    return found


@pytest.mark.parametrize("cls", CLASSES)
def test_every_option_is_there_and_can_be_sent(cls):
    described = json.loads(json.dumps(schema(cls), allow_nan=False))
    assert set(flat(described)) == option_paths(cls)


@pytest.mark.parametrize("cls", CLASSES)
def test_every_option_has_a_known_kind_and_help(cls):
    kinds = {"int", "float", "bool", "text", "path", "choice", "list", "section", "sections", "registry"}
    for option in flat(schema(cls)).values():
        assert option["kind"] in kinds, option["path"]
        assert option["help"].endswith((".", ")")), option["path"]
        assert (option["item"] is None) == (option["kind"] != "list")


@pytest.mark.parametrize(("cls", "path", "expected"), [
    (TrainingOptions, "epochs", {"kind": "int", "default": 10, "ge": 1, "le": 100_000, "required": False}),
    (TrainingOptions, "model", {"kind": "path", "required": True, "default": None, "must_exist": True}),
    (TrainingOptions, "max_steps", {"kind": "int", "optional": True, "default": None, "unit": "steps"}),
    (TrainingOptions, "precision", {"kind": "choice", "choices": ["auto", "fp32", "fp16", "bf16"], "default": "auto"}),
    (TrainingOptions, "saving.every", {"kind": "text", "default": "1 epoch"}),
    (TrainingOptions, "trainable", {"kind": "registry", "default": "lora"}),
    (TrainingOptions, "dataset", {"kind": "section", "required": False, "default": None}),
    (TrainingOptions, "dataset.concepts", {"kind": "sections", "required": False, "default": [], "label": "Concepts"}),
    (TrainingOptions, "dataset.concepts.prompt", {"kind": "text", "default": "", "required": False}),
    (TrainingOptions, "dataset.shuffle_tags", {"kind": "bool", "default": False, "label": "Shuffle tags"}),
    (TrainingOptions, "previews.prompts", {"kind": "list", "item": "text", "default": []}),
    (CompareOptions, "strengths", {"kind": "list", "item": "float", "default": [1.0], "ge": -4}),
    (CompareOptions, "networks", {"kind": "list", "item": "path", "required": True, "must_exist": True}),
])  # fmt: skip
def test_an_option_is_described_as_it_was_declared(cls, path, expected):
    option = flat(schema(cls))[path]
    assert {name: option[name] for name in expected} == expected


def test_what_matters_first_is_marked():
    first = {path for path, option in flat(schema(TrainingOptions)).items() if option["group"] == "first"}
    assert first == {
        "model", "trainable", "epochs", "batch_size", "learning_rate", "dataset.folder", "dataset.trigger",
        "dataset.repeats", "dataset.buckets.resolution", "saving.name", "trainable.rank",
        "trainable.token", "trainable.vectors",
    }  # fmt: skip


def test_the_defaults_that_the_page_shows_are_those_that_hold():
    config = {"model": "/m", "dataset": {"folder": "/p"}}
    shown = {}
    for path, option in flat(schema(TrainingOptions)).items():
        chosen = [one for one in ("optimizer", "schedule", "loss", "trainable") if path.startswith(f"{one}.")]
        in_list = path.startswith("dataset.concepts.")
        if option["kind"] != "section" and not option["required"] and not chosen and not in_list:
            value = option["default"]
            for name in reversed(path.split(".")):
                value = {name: value}
            shown = merge(shown, value)
    assert load(TrainingOptions, merge(shown, config)) == load(TrainingOptions, config)
