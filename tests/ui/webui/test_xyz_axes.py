"""Our axes in the WebUI's X/Y/Z plot."""

from __future__ import annotations

import copy
import itertools
import os
from types import SimpleNamespace

import pytest

from lib_trainer.core.errors import ConfigError, ModelError
from lib_trainer.core.events import Saved, Started
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.ui.host import Host
from lib_trainer.ui.server import Server
from lib_trainer.ui.webui.axes import EPOCH, RUN, WEIGHT, add_axes
from lib_trainer.ui.webui.trained import trained_in


class AxisOption:
    """The plot's own description of an axis."""

    def __init__(self, label, type, apply, format_value, confirm=None, cost=0.0, choices=None):
        self.label, self.type, self.apply, self.format_value = label, type, apply, format_value
        self.confirm, self.cost, self.choices = confirm, cost, choices


@pytest.fixture
def server(webui, tmp_path):
    """Projects with two runs: `dog`, the older one, of 2 epochs, and `cat` of 3, whose second file is gone."""
    server = Server(Host(), tmp_path / "home")
    for project, name, epochs, made in (("first", "dog", 2, 1000), ("pets", "cat", 3, 2000)):
        run = RunDirectory(server.home / "projects" / project / "runs" / f"train-{name}")
        run.create("train", {"saving": {"name": name}, "dataset": {"folder": "/pictures"}})
        run.append(Started("train", 1))
        for epoch in range(1, epochs + 1):
            path = webui.lora_dir / f"{name}-e{epoch:03}.safetensors"
            path.write_bytes(b"")
            run.append(Saved("network", str(path), epoch * 10, epoch))
        os.utime(run.job_file, (made, made))
    (webui.lora_dir / "cat-e002.safetensors").unlink()
    return server


@pytest.fixture
def axes(webui, server):
    """Label -> axis, as the plot has them."""
    plot = SimpleNamespace(AxisOption=AxisOption, format_value=lambda p, option, x: x, axis_options=[])
    script = SimpleNamespace(script_class=type("Script", (), {"__module__": "xyz_grid.py"}), module=plot)
    webui.scripts.scripts_data = [SimpleNamespace(script_class=Server, module=None), script]
    add_axes(lambda: trained_in(server))
    webui.plot = plot
    return {axis.label: axis for axis in plot.axis_options}


@pytest.fixture
def drawn(webui, axes):
    """`drawn(prompt, (label, value), ...)`: the prompt of a cell, its axes applied in this order."""

    def cell(prompt, *asked):
        for letter, place in itertools.zip_longest("xyz", asked):
            info = SimpleNamespace(axis=axes[place[0]] if place else SimpleNamespace(label="Nothing"))
            setattr(webui.shared.state, f"xyz_plot_{letter}", info)
        p = copy.copy(SimpleNamespace(prompt=prompt))
        for label, value in asked:
            axes[label].apply(p, value, [value])
        return p.prompt

    return cell


def test_choices_are_the_files_of_all_runs_that_are_still_there_newest_run_first(axes):
    assert axes[EPOCH].choices() == ["cat-e001", "cat-e003", "dog-e001", "dog-e002"]
    assert axes[RUN].choices() == ["pets/cat (train-cat)", "first/dog (train-dog)"]


def test_a_second_time_adds_no_second_axes(webui, axes, server):
    add_axes(lambda: trained_in(server))
    assert [axis.label for axis in webui.plot.axis_options] == [EPOCH, RUN, WEIGHT]


def test_where_the_plots_script_is_missing_nothing_happens(webui, server):
    add_axes(lambda: trained_in(server))
    assert webui.scripts.scripts_data == []


def test_an_epoch_is_added_to_a_prompt_without_one(drawn):
    assert drawn("a cat", (EPOCH, "cat-e003")) == "a cat <lora:cat-e003:1>"


def test_an_epoch_takes_the_place_of_the_trainers_lora_and_its_weight(drawn):
    assert drawn("<lora:cat-e001:0.7> a cat", (EPOCH, "cat-e003")) == "<lora:cat-e003:0.7> a cat"
    assert drawn("<lora:dog-e001:0.7> a cat", (EPOCH, "cat-e003")) == "<lora:cat-e003:0.7> a cat"
    assert drawn("a <lora:cat-e001:0.7:0.2>", (EPOCH, "cat-e003")) == "a <lora:cat-e003:0.7:0.2>"


def test_other_loras_in_the_prompt_are_left_alone(drawn):
    prompt = "a cat <lora:style:0.5> <lora:dog-e001:1> <lora:cat-e001:1>"
    assert drawn(prompt, (EPOCH, "cat-e003")) == "a cat <lora:style:0.5> <lora:dog-e001:1> <lora:cat-e003:1>"


def test_none_takes_the_trainers_lora_out(drawn):
    assert drawn("a cat <lora:style:0.5> <lora:cat-e001:1>", (EPOCH, "none")) == "a cat <lora:style:0.5>"


def test_a_number_is_an_epoch_of_the_run_in_the_prompt_else_of_the_newest(drawn):
    assert drawn("<lora:dog-e001:0.7> it", (EPOCH, "2")) == "<lora:dog-e002:0.7> it"
    assert drawn("it", (EPOCH, "3")) == "it <lora:cat-e003:1>"
    with pytest.raises(ConfigError, match="There are 1, 3"):
        drawn("it", (EPOCH, "2"))


ALL_THREE = [(EPOCH, "2"), (RUN, "first/dog (train-dog)"), (WEIGHT, 0.5)]


@pytest.mark.parametrize("order", list(itertools.permutations(ALL_THREE)))
def test_the_axes_work_together_in_any_order(drawn, order):
    assert drawn("a pet", *order) == "a pet <lora:dog-e002:0.5>"
    assert drawn("a pet <lora:cat-e001:0.9>", *order) == "a pet <lora:dog-e002:0.5>"


@pytest.mark.parametrize("order", list(itertools.permutations([(EPOCH, "none"), (WEIGHT, 0.5)])))
def test_a_weight_of_no_lora_is_no_lora(drawn, order):
    assert drawn("a pet", *order) == "a pet"


def test_a_run_means_the_users_choice_else_its_last_file(drawn, server, webui):
    assert drawn("a pet", (RUN, "pets/cat (train-cat)")) == "a pet <lora:cat-e003:1>"
    chosen = {"network": str(webui.lora_dir / "cat-e001.safetensors"), "strength": 1, "phrase": ""}
    server.project("pets").choose("train-cat", chosen)
    assert drawn("a pet", (RUN, "pets/cat (train-cat)")) == "a pet <lora:cat-e001:1>"


def test_a_file_of_another_run_than_the_axis_says_is_refused(drawn):
    with pytest.raises(ConfigError, match="give epochs as numbers"):
        drawn("a pet", (RUN, "first/dog (train-dog)"), (EPOCH, "cat-e001"))


def test_a_weight_changes_the_trainers_loras_only(drawn):
    assert drawn("<lora:style:1> <lora:cat-e001:1>", (WEIGHT, -0.25)) == "<lora:style:1> <lora:cat-e001:-0.25>"


def test_a_weight_of_nothing_is_refused(drawn):
    with pytest.raises(ConfigError, match="no LoRA of the trainer"):
        drawn("a cat <lora:style:1>", (WEIGHT, 0.5))


def test_unknown_values_are_refused_before_anything_is_drawn(axes):
    axes[EPOCH].confirm(None, ["none", "3", "cat-e001"])
    with pytest.raises(ConfigError, match="Did you mean 'cat-e001'"):
        axes[EPOCH].confirm(None, ["cat-e01"])
    with pytest.raises(ConfigError, match="there is no 'first/cat'"):
        axes[RUN].confirm(None, ["first/cat"])
    with pytest.raises(ConfigError, match="-10 to 10"):
        axes[WEIGHT].confirm(None, [0.5, 11.0])


def test_a_file_that_the_webui_can_not_find_is_refused_before_anything_is_drawn(webui, axes, tmp_path):
    webui.shared.cmd_opts.lora_dir = str(tmp_path / "other")
    webui.networks.list_available_networks = lambda: None
    with pytest.raises(ModelError, match="copy it there"):
        axes[EPOCH].confirm(None, ["cat-e001"])


def test_labels_are_short(axes):
    told = [axes[EPOCH].format_value(None, None, value) for value in ("none", "3", "cat-e001")]
    assert [*told, axes[WEIGHT].format_value(None, None, 0.5)] == ["no LoRA", "epoch 3", "cat-e001", "weight 0.5"]
