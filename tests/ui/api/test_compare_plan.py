"""What a comparison is going to draw, before it is started."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from lib_trainer.core.events import Progress, Started
from lib_trainer.demo.places import MODEL
from tests.ui.api.conftest import PROJECT

ROOT = Path(__file__).parents[3]


@pytest.fixture
def network(tmp_path):
    tensor = {"dtype": "F16", "shape": [2], "data_offsets": [0, 4]}
    header = json.dumps({"__metadata__": {"ss_epoch": "4"}, "a": tensor})
    path = tmp_path / "style.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header.encode() + bytes(4))
    return path


@pytest.fixture
def config(network):
    return {"model": str(MODEL), "networks": [str(network)], "prompts": ["a cat", "a dog"], "seeds": [1, 2],
            "steps": [20], "width": 512, "height": 512}  # fmt: skip


def planned(browser, config):
    return browser.post(f"{PROJECT}/compare/plan", config=config)


def test_rows_columns_and_their_number_are_told_without_an_engine(browser, config):
    told = planned(browser, config).data
    assert told["rows"] == ["no network", "style, epoch 4"]
    assert len(told["columns"]) == 4 and told["total"] == 8
    assert told["seconds"] is None


def test_every_complaint_comes_beside_its_option(browser, config):
    answer = planned(browser, {**config, "seeds": [-1], "width": 5})
    assert answer.status == 422
    assert {complaint["path"] for complaint in answer.data["complaints"]} == {"seeds", "width"}


def test_what_can_not_be_planned_is_a_complaint_of_its_option(browser, config, network):
    answer = planned(browser, {**config, "networks": [str(network), str(network.parent)]})
    assert answer.status == 422
    assert [complaint["path"] for complaint in answer.data["complaints"]] == ["networks"]
    network.write_bytes(network.read_bytes()[:-1])
    (complaint,) = planned(browser, config).data["complaints"]
    assert complaint["path"] == "networks" and "cut off" in complaint["message"]


def test_a_guest_can_not_plan_with_files_elsewhere(guest, config, network):
    answer = planned(guest, config)
    assert answer.status == 422
    (complaint,) = answer.data["complaints"]
    assert complaint["path"] == "networks" and "outside the folders" in complaint["message"]


@pytest.fixture
def drawn(make_run, config):
    """`drawn("compare-1", 2.0, width=256)`: an earlier comparison that took 2 s for a picture."""

    def made(name, seconds, started=100.0, **changes):
        # Kept pictures, loading and a break between two starts are no time of drawing.
        times = [(0, 3), (2 * seconds, 5), (500, 5), (500 + seconds, 6)]
        events = [Progress("Drawing", done, 6, "pictures", time=started + moment) for moment, done in times]
        start = Started("compare", 1, time=started)
        output = {"output": str(MODEL.parent)}
        return make_run(name, "compare", {**config, **output, **changes}, (start, *events[:2], start, *events[2:]))

    return made


def test_the_time_is_that_of_an_earlier_comparison_a_picture(browser, config, drawn):
    drawn("compare-1", 2.0)
    assert planned(browser, config).data["seconds"] == 16.0


def test_the_time_grows_with_pixels_and_steps(browser, config, drawn):
    drawn("compare-1", 2.0, width=256, steps=[10])
    assert planned(browser, config).data["seconds"] == 64.0


def test_a_comparison_of_the_same_size_and_steps_counts_before_a_newer_one(browser, config, drawn):
    drawn("compare-1", 2.0)
    drawn("compare-2", 100.0, width=256)
    assert planned(browser, config).data["seconds"] == 16.0


def test_another_model_and_a_broken_run_say_nothing(browser, config, drawn, make_run):
    drawn("compare-1", 2.0, model="/other.safetensors")
    make_run("compare-2", "compare", {"model": 5})
    make_run("train-1", "train", {})
    assert planned(browser, config).data["seconds"] is None


def test_the_route_needs_nothing_but_pythons_own_library():
    code = (
        f"import sys; sys.path.append({str(ROOT)!r}); import lib_trainer.ui.api.compare, lib_trainer.ui.api.pictures;"
        "print(sorted({'torch', 'numpy', 'PIL', 'gradio'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
