"""All complaints about plain data at once."""

from __future__ import annotations

import pytest

from lib_trainer.comparison.options import CompareOptions
from lib_trainer.core.complaints import complaints, option_paths, read_all
from lib_trainer.core.configs import dump, load
from lib_trainer.core.errors import ConfigError
from lib_trainer.training.options import TrainingOptions

GOOD = {"model": "/m.safetensors", "dataset": {"folder": "/pictures"}}


def found(data, cls=TrainingOptions):
    """{path: message} of all complaints."""
    all_of_them = complaints(cls, data)
    assert len({complaint.path for complaint in all_of_them}) == len(all_of_them)
    return {complaint.path: complaint.message for complaint in all_of_them}


def test_each_wrong_option_is_told_beside_itself():
    data = {
        "epochs": 0, "seed": "x", "colour": 1, "dataset": {"folder": "/p", "buckets": {"resolution": 5}},
        "trainable": {"type": "lora", "rank": 0}, "optimizer": "adam", "saving": {"every": "often"}, "previews": [],
    }  # fmt: skip
    assert set(found(data)) == {
        "model", "epochs", "seed", "colour", "dataset.buckets.resolution", "trainable.rank", "optimizer",
        "saving.every", "previews",
    }  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {"epochs": 0}, {"epochs": None}, {"epochs": True}, {"epoch": 3}, {"model": ""}, {"dataset": None},
        {"dataset": {}},
        {"trainable": "lore"}, {"trainable": {"type": "lora", "rank": 1.5}}, {"trainable": {"type": 3}},
        {"previews": {"prompts": "a cat"}}, {"previews": {"prompts": ["a", 2]}}, {"saving": {"name": "a:b"}},
        {"dataset": {"folder": "/"}}, {"learning_rate": 0}, {"precision": "fp8"}, {"diffusion": {"noise_offset": 2}},
    ],
)  # fmt: skip
def test_a_single_complaint_is_the_sentence_with_which_loading_refuses(changes):
    with pytest.raises(ConfigError) as refused:
        load(TrainingOptions, {**GOOD, **changes})
    assert list(found({**GOOD, **changes}).values()) == [str(refused.value)]


@pytest.mark.parametrize(("changes", "path"), [
    ({"saving": {"name": "a:b"}}, "saving.name"),
    ({"dataset": {"folder": "/"}}, "saving.name"),
    ({"learning_rate": 0}, "learning_rate"),
])  # fmt: skip
def test_a_sentence_about_several_options_stands_at_the_one_it_names_first(changes, path):
    assert list(found({**GOOD, **changes})) == [path]


def test_complaints_of_a_section_do_not_hide_those_of_another():
    assert set(found({**GOOD, "saving": {"name": "a:b"}, "epochs": 0})) == {"saving.name", "epochs"}


def test_a_list_that_must_not_be_empty_is_named():
    data = {"model": "/m", "networks": ["/n"], "output": "/o", "prompts": []}
    assert list(found(data, CompareOptions)) == ["prompts"]


@pytest.mark.parametrize("data", [None, [], "text", 3])
def test_what_is_no_table_is_told_without_an_option(data):
    assert list(found(data)) == [""]


def test_what_is_missing_is_marked_so():
    assert [(one.path, one.is_missing) for one in complaints(TrainingOptions, {"epochs": 0})] == [
        ("model", True), ("dataset.folder", True), ("epochs", False),
    ]  # fmt: skip


def test_good_data_reads_as_loading_reads_it():
    reading = read_all(TrainingOptions, GOOD)
    assert reading.complaints == []
    assert dump(reading.config) == dump(load(TrainingOptions, GOOD))
    assert {(leaf.path, str(leaf.value)) for leaf in reading.leaves} == {
        ("model", "/m.safetensors"), ("dataset.folder", "/pictures"),
    }  # fmt: skip


def test_data_with_complaints_gives_no_config_but_what_could_be_read():
    reading = read_all(TrainingOptions, {**GOOD, "epochs": 0})
    assert reading.config is None
    assert [leaf.path for leaf in reading.leaves] == ["model", "dataset.folder"]


def test_the_paths_of_options_go_through_sections_and_tables():
    paths = {"dataset.buckets.resolution", "trainable.rank", "optimizer.beta1", "saving"}
    assert paths <= option_paths(TrainingOptions)
