"""Flags drawn from the options, and only from them."""

from __future__ import annotations

import re

import pytest

from lib_trainer.cli import parser
from lib_trainer.core.configs import load
from lib_trainer.core.errors import ConfigError
from lib_trainer.core.options import describe, first_line
from lib_trainer.demo.options import DemoOptions
from lib_trainer.flags import CommandParser, add_flags, given
from lib_trainer.jobs.environment import EnvironmentOptions
from lib_trainer.steps import STEPS

COMMANDS = {
    **{name: [(step.options, ""), (EnvironmentOptions, "engine.")] for name, step in STEPS.items()},
    "demo": [(DemoOptions, ""), (EnvironmentOptions, "engine.")],
    "setup": [(EnvironmentOptions, "")],
    "resume": [(EnvironmentOptions, "engine.")],
}


def options_of(cls, prefix=""):
    """All options of a class as (path, description), those of sections and of each entry of a table included."""
    for info in describe(cls):
        if info.section and not info.many:
            yield from options_of(info.type, f"{prefix}{info.name}.")
        else:
            yield f"{prefix}{info.name}", info
        if info.registry is not None:
            for _, entry in info.registry:
                yield from options_of(entry, f"{prefix}{info.name}.")


ALL = [
    pytest.param(command, f"--{path}".replace("_", "-"), info, id=f"{command} {path}")
    for command, classes in COMMANDS.items()
    for cls, prefix in classes
    for path, info in options_of(cls, prefix)
]


@pytest.fixture(scope="module")
def helps():
    """Command -> flag -> what `COMMAND --help` says about it."""
    commands = next(action for action in parser()._actions if action.choices and "train" in action.choices)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "1000")  # so that nothing is wrapped
        texts = {name: commands.choices[name].format_help() for name in COMMANDS}
    entry = re.compile(r"^  (--\S+)(.*?)(?=^  -|^\S|\Z)", re.MULTILINE | re.DOTALL)
    return {
        name: {found[1]: " ".join(found[2].split()) for found in entry.finditer(text)} for name, text in texts.items()
    }


@pytest.mark.parametrize(("command", "flag", "info"), ALL)
def test_each_option_is_in_the_help_with_its_sentence_bounds_unit_and_default(helps, command, flag, info):
    text = helps[command][flag]
    assert info.help in text
    for fact in (info.bounds, info.unit, *info.choices):
        assert fact in text
    if info.registry is not None:
        assert ", ".join(info.registry.names) in text
    else:
        assert "must be given" in text if info.required else "default " in text
    for each in describe(info.type) if info.section else ():
        assert f"{each.name}: {each.help}" in text


@pytest.mark.parametrize(("command", "flag", "info"), ALL)
def test_each_option_has_a_sentence_for_users(command, flag, info):
    assert info.help.endswith(".")
    assert info.help[0].isupper() or info.help[0] in "'0123456789"


def test_options_of_the_same_name_mean_the_same_in_all_entries_of_a_table():
    """They share one flag, so its help and its bounds must hold for each of them."""
    meanings: dict[str, set[str]] = {}
    for command, classes in COMMANDS.items():
        for cls, prefix in classes:
            for path, info in options_of(cls, prefix):
                facts = (info.type, info.help, info.unit, info.ge, info.le, info.choices, str(info.default))
                meanings.setdefault(f"{command} {path}", set()).add(str(facts))
    assert [path for path, facts in meanings.items() if len(facts) > 1] == []


@pytest.mark.parametrize("step", STEPS)
def test_each_class_of_options_opens_with_a_sentence_of_its_own(step):
    classes = [STEPS[step].options]
    for cls in classes:
        assert first_line(cls).endswith("."), cls
        assert not first_line(cls).startswith(f"{cls.__name__}("), cls
        for info in describe(cls):
            classes += [info.type] if info.section else [entry for _, entry in info.registry or ()]


def read(*arguments, cls=STEPS["train"].options, prefix=""):
    command = CommandParser(prog="trainer", allow_abbrev=False)
    add_flags(command, cls, prefix)
    return given(command.parse_args(arguments), cls, prefix)


def test_only_flags_that_were_given_say_anything():
    assert read() == {}


def test_flags_become_nested_data():
    assert read("--dataset.buckets.min-side", "256", "--epochs", "3") == {
        "dataset": {"buckets": {"min_side": "256"}},
        "epochs": "3",
    }


def test_a_choice_and_its_options_come_together():
    assert read("--schedule", "cosine", "--schedule.end", "0.1") == {"schedule": {"type": "cosine", "end": "0.1"}}


def test_flags_are_read_as_the_type_of_their_option():
    data = read("--model", "m", "--dataset.folder", "p", "--previews.prompts", "a cat", "a dog", "--schedule", "cosine",
                "--learning-rate", "2e-4", "--max-steps", "none", "--dataset.shuffle-tags", "--saving.every", "5 steps",
                "--gradient-checkpointing", "no")  # fmt: skip
    options = load(STEPS["train"].options, data)
    assert options.previews.prompts == ("a cat", "a dog")
    assert type(options.schedule).__name__ == "Cosine"
    assert options.learning_rate == 2e-4
    assert options.max_steps is None
    assert options.dataset.shuffle_tags is True
    assert options.gradient_checkpointing is False
    assert str(options.saving.every) == "5 steps"


def test_a_list_of_tables_is_given_one_table_at_a_time():
    one = ["folder=/dogs", "prompt=a photo of sks dog", "class-prompt=a = b"]
    assert read("--dataset.concepts", *one, "--dataset.concepts", "folder=/cats")["dataset"]["concepts"] == [
        {"folder": "/dogs", "prompt": "a photo of sks dog", "class_prompt": "a = b"}, {"folder": "/cats"},
    ]  # fmt: skip


def test_a_table_of_a_list_is_read_as_the_types_of_its_options():
    data = read("--model", "m", "--dataset.folder", "/p", "--dataset.concepts", "folder=/dogs", "class_folder=")
    (concept,) = load(STEPS["train"].options, data).dataset.concepts
    assert (concept.folder.name, concept.class_folder) == ("dogs", None)


def test_negative_numbers_are_values():
    assert read("--strengths", "-1", "0.5", cls=STEPS["compare"].options) == {"strengths": ["-1", "0.5"]}


def test_a_prefix_keeps_two_classes_apart():
    command = CommandParser(prog="trainer")
    add_flags(command, STEPS["prepare"].options)
    add_flags(command, EnvironmentOptions, "engine.")
    parsed = command.parse_args(["--folder", "p", "--engine.offline"])
    assert given(parsed, STEPS["prepare"].options) == {"folder": "p"}
    assert given(parsed, EnvironmentOptions, "engine.") == {"offline": "true"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--datset.folder", "p"], "Unknown option '--datset.folder' ('p'). Did you mean '--dataset.folder'?"),
        (["--epoch=3"], "Unknown option '--epoch' ('3'). Did you mean '--epochs'?"),
        (["--qqq"], "Unknown option '--qqq'. `trainer --help` lists what there is."),
        (["stray"], "Unknown option 'stray'."),
        (["--dataset.concepts", "sks dog"], "'--dataset.concepts' is given 'sks dog'; write NAME=VALUE, in quotation"),
        (["--epochs"], "Argument --epochs: expected one argument; `trainer --help` lists what there is."),
    ],
)
def test_flags_that_can_not_be_understood_are_one_sentence(arguments, sentence):
    with pytest.raises(ConfigError) as error:
        read(*arguments)
    assert str(error.value).startswith(sentence)
    assert "\n" not in str(error.value)
