"""What there is to train on and to draw with."""

from __future__ import annotations

from pathlib import Path

from tests.ui.api.conftest import PNG

CHECKPOINTS = "/trainer/api/checkpoints"


def test_the_hosts_models_come_first_and_the_demos_last(browser, picture):
    path = picture("data/models/Stable-diffusion/sub/model.safetensors", PNG)
    told = browser.get(CHECKPOINTS).data
    own, demo = told["checkpoints"]
    assert own == {"title": str(Path("sub") / "model.safetensors"), "path": str(path)}
    assert demo["title"] == "Demo: emoji (tiny)" and Path(demo["path"]).is_file()


def test_samplers_are_the_hosts_or_else_the_engines(browser, monkeypatch):
    assert browser.get(CHECKPOINTS).data["samplers"][0] == "DPM++ 2M"
    monkeypatch.setattr(browser.server.host, "samplers", lambda: ["LCM"])
    assert browser.get(CHECKPOINTS).data["samplers"] == ["LCM"]


def test_the_folders_and_the_loaded_model_are_the_hosts(browser, monkeypatch, tmp_path):
    told = browser.get(CHECKPOINTS).data
    assert told["folders"]["lora"] == str(tmp_path / "data" / "models" / "Lora") and told["loaded"] is None
    monkeypatch.setattr(browser.server.host, "loaded_checkpoint", lambda: "model.safetensors [abc]")
    assert browser.get(CHECKPOINTS).data["loaded"] == "model.safetensors [abc]"
