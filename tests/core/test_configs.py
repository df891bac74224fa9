"""Configurations as plain data: what is accepted, what each complaint says, dumping and merging."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from lib_trainer.core.configs import Text, dump, load, merge
from lib_trainer.core.errors import ConfigError
from lib_trainer.core.options import choice, option, section
from lib_trainer.core.registry import Registry
from lib_trainer.core.units import Every


@dataclass(frozen=True)
class Steady:
    """Stays."""

    warmup: int = option(0, "Steps at first.", ge=0, unit="steps")


@dataclass(frozen=True)
class Falling:
    """Falls."""

    warmup: int = option(0, "Steps at first.", ge=0, unit="steps")
    end: float = option(0.0, "Share at the end.", ge=0, le=1)


SLOPES: Registry[object] = Registry("slope", {"steady": Steady, "falling": Falling})


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """Pictures."""

    folder: Path = option(..., "Folder with pictures.")
    repeats: int = option(1, "How often each comes.", ge=1)


@dataclass(frozen=True)
class Saving:
    """Files."""

    every: Every = option(Every(1, "epoch"), "How often.")
    name: str = option("", "Name of the files.")


@dataclass(frozen=True, kw_only=True)
class Run:
    """One of each kind."""

    pictures: Pictures = section(Pictures)
    saving: Saving = section(Saving)
    size: int = option(512, "Side of a picture.", ge=64, le=2048, unit="px")
    rate: float = option(1e-4, "Step size.", ge=0, le=10)
    flip: bool = option(False, "Whether it is mirrored.")
    precision: Literal["fp16", "fp32"] = option("fp16", "Number format.")
    seed: int | None = option(None, "Start of random numbers.", ge=0)
    words: tuple[str, ...] = option((), "Some words.")
    strengths: tuple[float, ...] = option((1.0,), "Some numbers.", ge=-4, le=4)
    slope: object = choice(SLOPES, "steady", "How it changes.")


GIVEN = {"pictures": {"folder": "/pictures"}}


def loaded(**data):
    return load(Run, merge(GIVEN, data))


def complaint(data):
    with pytest.raises(ConfigError) as error:
        load(Run, data)
    return str(error.value)


def test_what_is_not_given_has_its_default():
    run = loaded()
    assert (run.size, run.rate, run.flip, run.seed, run.slope) == (512, 1e-4, False, None, Steady())
    assert run.saving == Saving(Every(1, "epoch"), "")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("size", 64, 64),
        ("size", Text("2048"), 2048),
        ("rate", 1, 1.0),
        ("rate", Text("2e-3"), 2e-3),
        ("flip", True, True),
        ("flip", Text("Yes"), True),
        ("flip", Text("off"), False),
        ("precision", Text("fp32"), "fp32"),
        ("seed", None, None),
        ("seed", Text("none"), None),
        ("seed", Text(""), None),
        ("seed", Text("7"), 7),
        ("words", ["a", "b"], ("a", "b")),
        ("words", [Text("none")], ("none",)),
        ("strengths", [Text("-1"), 2], (-1.0, 2.0)),
        ("slope", "falling", Falling()),
        ("slope", {"type": "falling", "end": 0.5}, Falling(end=0.5)),
        ("slope", {"warmup": 3}, Steady(warmup=3)),
        ("saving", {"every": "2 epochs", "name": "none"}, Saving(Every(2, "epoch"), "none")),
    ],
)
def test_every_kind_of_value_is_read(name, value, expected):
    read = getattr(loaded(**{name: value}), name)
    assert read == expected
    assert type(read) is type(expected)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("size", "512"),
        ("size", 512.0),
        ("size", True),
        ("size", Text("many")),
        ("size", Text("1.5")),
        ("size", None),
        ("rate", "1e-4"),
        ("rate", True),
        ("rate", Text("fast")),
        ("rate", Text("nan")),
        ("rate", Text("inf")),
        ("rate", float("nan")),
        ("rate", 10**400),
        ("flip", 1),
        ("flip", Text("perhaps")),
        ("precision", "fp8"),
        ("precision", 16),
        ("words", "one"),
        ("words", Text("one")),
        ("words", [1]),
        ("strengths", [1.0, "2"]),
        ("slope", 5),
        ("slope", None),
        ("slope", ["falling"]),
        ("slope", "rising"),
        ("slope", {"type": ["falling"]}),
        ("saving", None),
        ("saving", "here"),
        ("saving", [1]),
    ],
)
def test_a_value_of_another_kind_is_refused_by_its_option_and_value(name, value):
    said = complaint({**GIVEN, name: value})
    assert f"'{name}" in said
    assert "must be" in said or "Available" in said
    assert said.endswith((".", "?"))


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("size", 63, "'size' is 63; it must be 64 to 2048 px."),
        ("size", Text("4096"), "'size' is 4096; it must be 64 to 2048 px."),
        ("size", Text("wide"), "'size' is 'wide'; it must be a whole number."),
        ("rate", -0.5, "'rate' is -0.5; it must be 0 to 10."),
        ("strengths", [0.0, 5.0], "'strengths' is 5.0; it must be -4 to 4."),
        ("seed", -1, "'seed' is -1; it must be at least 0."),
        ("precision", "fp61", "'precision' is 'fp61'; it must be one of fp16, fp32. Did you mean 'fp16'?"),
        ("words", "one", "'words' is 'one'; it must be a list, each text."),
        ("slope", {"type": "falling", "end": 2.0}, "'slope.end' is 2.0; it must be 0 to 1."),
        ("slope", "fallin", "'slope' is 'fallin'; it must be one of steady, falling. Did you mean 'falling'?"),
        (
            "saving",
            {"every": "sometimes"},
            "'saving.every' is 'sometimes'; it must be a whole number with its unit, such as '2 epochs', '2 steps', "
            "'2 minutes', or 'never'.",
        ),
    ],
)
def test_a_complaint_has_the_full_path_the_value_and_what_is_allowed(name, value, sentence):
    assert complaint({**GIVEN, name: value}) == sentence


def test_the_bounds_themselves_are_allowed():
    assert loaded(size=64).size == 64
    assert loaded(size=2048).size == 2048


def test_an_unknown_option_is_named_with_its_path_its_value_and_a_near_name():
    said = complaint({"pictures": {"folder": "/x", "repeat": 3}})
    assert said.startswith("Unknown option 'pictures.repeat' (3). Did you mean 'repeats'?")
    assert "folder, repeats" in said


def test_an_option_of_another_type_of_a_choice_is_unknown():
    assert "Unknown option 'slope.end'" in complaint({**GIVEN, "slope": {"type": "steady", "end": 0.5}})


def test_a_missing_option_of_a_required_section_is_named():
    assert complaint({}) == "'pictures.folder' is not given; it must be a path: Folder with pictures."


def test_a_config_that_is_no_table_is_refused():
    assert "must be a table of options" in complaint([1, 2])


def test_a_path_becomes_absolute_because_the_engine_may_work_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load(Pictures, {"folder": Text("cats")}).folder == tmp_path / "cats"


def test_the_home_folder_is_understood_in_a_path(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert load(Pictures, {"folder": "~/cats"}).folder == tmp_path / "cats"


@pytest.mark.parametrize("value", ["", "  ", 5, None, "~no-such-user-here/cats"])
def test_a_path_that_says_nothing_is_refused(value):
    with pytest.raises(ConfigError, match=r"'folder' is .*it must be a path"):
        load(Pictures, {"folder": value})


def test_a_dumped_config_loads_equal_after_a_trip_through_json():
    run = loaded(
        size=100, flip=True, seed=3, words=["ü", "b"], strengths=[1, -0.5], saving={"every": "never"},
        slope={"type": "falling", "end": 0.25},
    )  # fmt: skip
    assert load(Run, json.loads(json.dumps(dump(run)))) == run


def test_a_dump_names_the_type_of_each_choice():
    assert dump(loaded(slope="falling"))["slope"] == {"type": "falling", "warmup": 0, "end": 0.0}


def test_merging_overlays_table_by_table():
    low = {"a": 1, "deep": {"x": 1, "y": 2}}
    assert merge(low, {"b": 2, "deep": {"y": 3}}) == {"a": 1, "b": 2, "deep": {"x": 1, "y": 3}}


def test_merging_changes_neither_of_its_tables():
    low, high = {"deep": {"x": 1}}, {"deep": {"y": 2}}
    merge(low, high)
    assert (low, high) == ({"deep": {"x": 1}}, {"deep": {"y": 2}})


def test_another_type_drops_the_options_of_the_one_it_replaces():
    low = {"slope": {"type": "falling", "end": 0.5}}
    assert merge(low, {"slope": {"type": "steady"}}) == {"slope": {"type": "steady"}}
    assert merge(low, {"slope": "steady"}) == {"slope": {"type": "steady"}}
    assert merge({"slope": "falling"}, {"slope": {"type": "steady", "warmup": 1}}) == {
        "slope": {"type": "steady", "warmup": 1}
    }


@pytest.mark.parametrize("same", ["falling", {"type": "falling"}, {"end": 0.5}])
def test_the_same_type_keeps_the_options_below_it(same):
    low = {"slope": {"type": "falling", "warmup": 7, "end": 0.5}}
    assert load(Run, {**GIVEN, **merge(low, {"slope": same})}).slope == Falling(warmup=7, end=0.5)


def test_options_over_a_type_that_was_given_as_a_word_belong_to_that_type():
    assert loaded(**merge({"slope": "falling"}, {"slope": {"end": 0.5}})).slope == Falling(end=0.5)


def test_a_word_over_a_section_is_refused_as_that():
    assert complaint(merge(GIVEN, {"pictures": "cats"})).startswith("'pictures' is 'cats'; it must be a table")


def test_lists_are_replaced_not_joined():
    assert merge({"words": ["a", "b"]}, {"words": ["c"]}) == {"words": ["c"]}
