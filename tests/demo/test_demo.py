"""The demo runs the same steps as a user's pictures do, goes on where it was interrupted, and keeps what is there."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

from PIL import Image

from lib_trainer.core.configs import merge, read_recipe
from lib_trainer.core.events import Notice, Saved
from lib_trainer.demo import demo as demo_module
from lib_trainer.demo.demo import demo
from lib_trainer.demo.options import DemoOptions
from lib_trainer.demo.places import HERE
from lib_trainer.jobs.environment import EnvironmentOptions
from lib_trainer.models.tensor_files import open_tensors

pytestmark = pytest.mark.engine
THIS_PYTHON = EnvironmentOptions(python=Path(sys.executable))
LESS = {
    "prepare": {"width": 64, "height": 64},
    "train": {
        "dataset": {"repeats": 1, "buckets": {"resolution": 64}},
        "trainable": {"type": "lora", "rank": 2, "conv_rank": 0},
        "max_steps": 12,
        "batch_size": 2,
        "previews": {"every": "never"},
        "validation": {"timesteps": 1, "every": "6 steps"},
        "saving": {"every": "6 steps", "state_every": "1 step"},
    },
    "compare": {"prompts": ["an openmoji emoji of a fox"], "steps": [2], "width": 64, "height": 64},
}


@pytest.fixture
def less_work(monkeypatch):
    """The shipped recipes with twelve steps of training instead of hundreds."""

    def shortened(path):
        return merge(read_recipe(path), LESS[path.stem]) if path.parent == HERE else read_recipe(path)

    monkeypatch.setattr(demo_module, "read_recipe", shortened)


@pytest.mark.option("DemoOptions.out")
def test_the_demo_makes_a_lora_and_a_grid_in_its_folder_and_keeps_them_when_run_again(tmp_path, less_work):
    out, told = tmp_path / "out", []
    code, result = demo(DemoOptions(out), THIS_PYTHON, told.append)
    assert code == 0
    assert Path(result["lora"]).parent == out / "models" / "Lora"
    assert all(name.startswith("lora_") for name in open_tensors(Path(result["lora"])).shapes)
    grid = Image.open(result["grid"])
    assert out in Path(result["grid"]).parents
    assert grid.width > 64
    assert grid.height > 2 * 64
    assert set(result["seconds"]) == {"setup", "prepare", "train", "compare"}
    assert result["held_out_loss"]["base"] > 0
    assert result["held_out_loss"]["epochs"]
    assert any(isinstance(event, Notice) and result["grid"] in event.message for event in told)

    before = {path: path.read_bytes() for path in (out / "models" / "Lora").iterdir()}
    code, again = demo(DemoOptions(out), THIS_PYTHON, told.append)
    assert code == 0
    assert again["lora"] != result["lora"]
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.slow
def test_an_interrupted_demo_goes_on_with_its_run(tmp_path, less_work):
    pressed = []

    def ctrl_c_at_the_first_state(event):
        if isinstance(event, Saved) and event.kind == "state" and not pressed:
            pressed.append(event)
            raise KeyboardInterrupt

    out, told = tmp_path / "out", []
    code, result = demo(DemoOptions(out), THIS_PYTHON, ctrl_c_at_the_first_state)
    assert (code, result) == (130, {})
    code, result = demo(DemoOptions(out), THIS_PYTHON, told.append)
    assert code == 0
    runs = sorted(path.name for path in (out / "runs").glob("train-*"))
    events = [json.loads(line) for line in (out / "runs" / "train-1" / "events.jsonl").read_text().splitlines()]
    assert runs == ["train-1"]
    assert [event["event"] for event in events].count("started") == 2
    assert Path(result["lora"]).exists()


@pytest.mark.slow
def test_the_whole_demo_lowers_the_held_out_loss_by_a_fifth(tmp_path):
    code, result = demo(DemoOptions(tmp_path / "out"), THIS_PYTHON, lambda event: None)
    losses = result["held_out_loss"]
    assert code == 0
    assert list(losses["epochs"]) == ["1", "2", "3", "4", "5", "6"]
    assert losses["epochs"]["6"] < 0.8 * losses["base"]
