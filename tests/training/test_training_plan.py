"""The step `plan` says exactly what the training then does."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.configs import dump  # noqa: E402
from lib_trainer.core.errors import ConfigError, DataError, ModelError  # noqa: E402
from lib_trainer.core.events import Notice, Progress, Table  # noqa: E402
from lib_trainer.core.places import DATA_VARIABLE  # noqa: E402
from lib_trainer.training.plan import plan  # noqa: E402

ROOT = Path(__file__).parents[2]


@pytest.fixture
def planned(runs):
    """`planned(changes)`: what the plan of a run with those options says, and its notices."""

    def made(changes=None, name="planned"):
        run = runs.run(name)
        told = plan(runs.options(changes or {}, name), run.directory)
        assert json.loads(json.dumps(told)) == told
        assert [event.message for event in run.of(Notice)][-len(told["remarks"]):] == told["remarks"]
        return told

    return made


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"batch_size": 1, "epochs": 2},
        {"batch_size": 4, "accumulate": 2},
        {"accumulate": 3, "epochs": 3},
        {"max_steps": 3},
        {"max_steps": 5, "epochs": 2, "accumulate": 3},
        {"dataset": {"repeats": 3, "buckets": {"square": True}}, "batch_size": 4},
        {"dataset": {"more_resolutions": [80]}, "batch_size": 3},
        {"validation": {"share": 0.3}, "epochs": 2},
    ],
)
def test_the_steps_are_those_that_the_training_takes(planned, runs, changes):
    run = runs.train(changes)
    told = planned(changes)
    trained = [event for event in run.of(Progress) if event.stage == "Training"]
    assert told["steps"] == trained[-1].total == run.result["steps"]
    steps = told["steps_per_epoch"] * told["epochs"]
    assert told["steps"] == min(steps, changes.get("max_steps", steps))


def test_pictures_and_buckets_are_counted(planned):
    told = planned({"dataset": {"repeats": 2}, "batch_size": 3})
    assert (told["pictures"], told["captioned"], told["repeats"], told["in_epoch"]) == (7, 7, 2, 14)
    assert told["buckets"] == [
        {"size": [48, 80], "pictures": 3, "in_epoch": 6}, {"size": [64, 64], "pictures": 4, "in_epoch": 8},
    ]  # fmt: skip
    assert (told["batches"], told["steps_per_epoch"]) == (5, 5)


@pytest.mark.parametrize(
    "changes",
    [
        {"epochs": 3, "saving": {"every": "1 epoch", "precision": "fp16"}},
        {"epochs": 2, "saving": {"every": "3 steps", "layer_names": "original"}, "trainable": {"conv_rank": 3}},
        {"epochs": 3, "max_steps": 10, "saving": {"every": "2 epochs"}, "text_encoder_learning_rate": 1e-3},
        {"saving": {"every": "never", "state_every": "1 step", "precision": "bf16", "name": "fuchs ü"}},
        {"epochs": 2, "accumulate": 3, "saving": {"every": "never", "state_every": "1 epoch"}, "max_steps": 3},
        {"saving": {"every": "15 minutes"}},
    ],
)
def test_the_files_have_the_names_and_sizes_that_are_then_written(planned, runs, changes):
    told = planned(changes, "run")
    run = runs.train(changes)
    networks = [each for each in told["files"] if each["kind"] == "network"]
    assert told["folder"] == str(run.out)
    assert [each["name"] for each in networks] == [name for _, name in run.saved("network")]
    assert len(networks) == told["networks"]
    for each in networks:
        # The digits of the times that a file holds are not known before.
        assert each["bytes"] == pytest.approx((run.out / each["name"]).stat().st_size, abs=16)
    states = [each for each in told["files"] if each["kind"] == "state"]
    assert [each["name"] for each in states] == [path.name for path in run.directory.states.glob("*.pt")]
    for each in states:
        assert each["bytes"] == pytest.approx((run.directory.states / each["name"]).stat().st_size, rel=0.01)
    assert told["bytes_total"] == sum(each["bytes"] for each in told["files"])
    assert 0 < told["bytes_free"] == pytest.approx(shutil.disk_usage(run.out).free, rel=0.05)


def test_very_many_files_are_counted_and_not_all_listed(planned):
    told = planned({"epochs": 2000, "saving": {"every": "1 step"}})
    assert told["networks"] == told["steps"] == 8000
    assert len(told["files"]) == 201
    assert told["files"][-1]["name"] == "net-e2000.safetensors"
    assert told["bytes_total"] == pytest.approx(8000 * told["files"][0]["bytes"], rel=0.001)


def test_a_name_that_is_taken_is_told_with_what_will_be_written_instead(planned, runs):
    runs.train({}, "planned")
    told = planned()
    assert told["files"][0]["name"] == "net-2-e001.safetensors"
    assert any("called 'net' already; this run's will be called 'net-2'" in remark for remark in told["remarks"])


def test_the_time_is_known_after_a_run_of_the_same_kind_and_not_before(planned, runs, tmp_path, monkeypatch):
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "own"))
    unusual = {"batch_size": 3, "trainable": {"rank": 5}}
    before = planned(unusual)
    assert (before["seconds"], before["seconds_said"]) == (None, "Known after the first steps.")
    runs.train(unusual)
    after = planned({**unusual, "epochs": 100})
    assert after["seconds"] > 0
    assert after["seconds_said"].startswith("About ")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"dataset": {"folder": "aside"}}, "There are only 2 pictures; a subject needs about 5 to 20"),
        ({}, "4 steps are few"),
        ({"epochs": 10_000}, "40000 steps are very many"),
        ({"dataset": {"folder": "bare"}}, "No picture has a caption, and there is neither a prompt"),
        ({"dataset": {"folder": "bare", "trigger": "sks"}}, "7 of 7 pictures have no caption"),
        ({"dataset": {"folder": "mixed"}}, "1 file is left out"),
        ({"dataset": {"folder": "mixed"}}, "1 of 7 pictures have no caption"),
        ({"dataset": {"folder": "mixed", "flip": 0.5}}, "1 caption speaks of left or right"),
        ({"saving": {"every": "5 minutes"}}, "Networks are saved every 5 minutes as well"),
        ({}, "for AUTOMATIC1111 set 'saving.layer_names' to 'original'"),
        ({"epochs": 100_000, "trainable": {"rank": 1024}, "saving": {"every": "1 step"}}, "are free on that disk"),
        ({"batch_size": 256, "dataset": {"buckets": {"resolution": 2048}}}, "of memory and there are"),
    ],
)
def test_what_the_user_should_know_is_a_remark(planned, things, tmp_path, changes, said):
    for name in ("bare", "mixed"):
        shutil.copytree(things / "pictures", tmp_path / name)
    for text in (tmp_path / "bare").glob("*.txt"):
        text.unlink()
    (tmp_path / "mixed" / "0.txt").unlink()
    (tmp_path / "mixed" / "1.txt").write_text("a cat, on the left of a bright bowl")
    (tmp_path / "mixed" / "z.png").write_bytes(b"")
    name = changes.get("dataset", {}).get("folder")
    if name:
        place = things if name == "aside" else tmp_path
        changes = {**changes, "dataset": {**changes["dataset"], "folder": str(place / name)}}
    assert any(said in remark for remark in planned(changes)["remarks"])


def test_a_training_without_fault_has_no_remark(planned):
    assert planned({"epochs": 50, "saving": {"layer_names": "original"}, "dataset": {"flip": 0.5}})["remarks"] == []


def test_names_of_layers_matter_to_loras_alone(planned, runs):
    other = {"epochs": 50, "trainable": {"type": "hypernetwork"}}
    assert planned(other)["remarks"] == []
    runs.open(other)
    assert "saving.layer_names" not in runs.run().messages
    runs.open({})
    assert "saving.layer_names" in runs.run().messages


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"model": "/gone.safetensors"}, ModelError, "does not exist"),
        ({"dataset": {"folder": "/gone"}}, DataError, "does not exist"),
        ({"validation": {"folder": "/gone"}}, DataError, "does not exist"),
        ({"precision": "fp16"}, ConfigError, "'precision' is 'fp16', which needs a GPU"),
        ({"precision": "fp32", "frozen_precision": "bf16"}, ConfigError, "'frozen_precision' is 'bf16'"),
        ({"dataset": {"buckets": {"step": 12}}}, ConfigError, "'buckets.step' is 12"),
        ({"previews": {"width": 100}}, ConfigError, "'previews.width' is 100"),
    ],
)
def test_what_the_training_would_refuse_the_plan_refuses_in_the_same_words(planned, runs, changes, error, said):
    with pytest.raises(error, match=said) as at_plan:
        planned(changes)
    with pytest.raises(error) as at_training:
        runs.train(changes)
    assert str(at_plan.value) == str(at_training.value)


def test_a_stop_ends_it_without_a_plan(runs):
    run = runs.run().directory
    run.request("stop")
    assert plan(runs.options({"dataset": {"cache": str(run.path / "cache")}}), run) == {}


def test_the_tables_of_the_training_and_the_plan_are_told(planned, runs):
    planned()
    titles = [table.title for table in runs.run("planned").of(Table)]
    assert titles[1:] == ["Buckets", "The plan"]


def test_nothing_is_written_where_the_networks_go(planned, runs):
    planned()
    assert not runs.run("planned").out.exists()


def test_once_the_machine_is_known_it_needs_no_torch(planned, runs, tmp_path):
    """Torch takes seconds to import, and a plan is asked for again and again."""
    planned()
    config = tmp_path / "config.json"
    config.write_text(json.dumps(dump(runs.options({}))), encoding="utf-8")
    code = (
        "import json, sys; sys.modules['torch'] = None\n"
        "from pathlib import Path\n"
        "from lib_trainer.core.configs import load\n"
        "from lib_trainer.core.run_directory import RunDirectory\n"
        "from lib_trainer.steps import STEPS\n"
        "options = load(STEPS['plan'].options, json.loads(Path(sys.argv[1]).read_text()))\n"
        "print(STEPS['plan'].resolve()(options, RunDirectory(Path(sys.argv[2])))['steps'])"
    )
    command = [sys.executable, "-c", code, str(config), str(runs.run().directory.path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.stdout == "4\n", done.stderr


def test_what_a_webui_on_such_a_machine_could_not_use_is_told(planned):
    """A1111 multiplies the file's matrices in their own number format, which PyTorch can't for fp16 on a CPU."""
    def told(kind, precision="fp16"):
        changes = {"trainable": {"type": kind[0], "rank": 2, **dict(kind[1:])}, "saving": {"precision": precision}}
        return any("can't use a" in remark for remark in planned(changes)["remarks"])

    assert told(["loha"]) and told(["lokr"])
    assert not told(["loha"], "fp32") and not told(["lora"]) and not told(["lokr", ("full", True)])
