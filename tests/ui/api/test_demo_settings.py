"""What the button "Try it with the demo" fills in."""

from __future__ import annotations

import json
from pathlib import Path

from lib_trainer.core.configs import load, merge
from lib_trainer.demo.places import MODEL
from lib_trainer.steps import STEPS


def test_the_settings_are_whole_and_their_files_are_there(idle):
    told = idle.post("demo")
    training = load(STEPS["train"].options, told["train"])
    assert training.model == MODEL
    assert all(path.exists() for path in (training.model, training.dataset.folder, training.validation.folder))
    prepare = load(STEPS["prepare"].options, told["pictures"])
    assert prepare.folder == training.dataset.folder
    assert (prepare.width, prepare.height) == (training.dataset.buckets.resolution,) * 2
    compared = merge(told["compare"], {"networks": [str(MODEL)], "output": "somewhere"})
    assert load(STEPS["compare"].options, compared).model == MODEL


def test_a_webui_gets_a_copy_that_it_can_draw_with_and_names_that_it_reads(idle, host, monkeypatch):
    monkeypatch.setattr(host, "name", "A1111")
    monkeypatch.setattr(host, "lend_demo", lambda: Path("/webui/models/demo.safetensors"))
    told = idle.post("demo")
    assert told["train"]["saving"]["layer_names"] == "original"
    assert {told["train"]["model"], told["compare"]["model"]} == {"/webui/models/demo.safetensors"}
    assert "layer_names" not in json.dumps(told["compare"])
