"""Whether the WebUI lists checkpoints, embeddings and hypernetworks of ours, and if not, why."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib_trainer.ui.webui.host import WebUIHost


def made(folder, name):
    path = Path(folder) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return path


def test_a_checkpoint_in_the_webuis_folder_is_listed_and_one_elsewhere_is_not(webui, tmp_path):
    host = WebUIHost()
    assert host.refresh(made(webui.checkpoints, "fox-e001.safetensors"), "checkpoint").shown
    seen = host.refresh(made(tmp_path / "elsewhere", "fox-e001.safetensors"), "checkpoint")
    assert (seen.shown, str(webui.checkpoints) in seen.why) == (False, True)


def test_a_diffusers_folder_is_none_of_the_webuis(webui):
    (webui.checkpoints / "fox-e001").mkdir()
    seen = WebUIHost().refresh(webui.checkpoints / "fox-e001", "checkpoint")
    assert (seen.shown, "save as safetensors" in seen.why) == (False, True)


def test_an_embedding_in_the_webuis_folder_is_called_by_its_name(webui, tmp_path):
    seen = WebUIHost().refresh(made(webui.root / "embeddings", "sks.safetensors"), "embedding")
    assert (seen.shown, "write sks in a prompt" in seen.why) == (True, True)
    assert not WebUIHost().refresh(made(tmp_path / "elsewhere", "sks.safetensors"), "embedding").shown


@pytest.mark.parametrize("name", ["fox.pt", "sub/fox.pt"])
def test_a_hypernetwork_is_listed_in_a1111(a1111, name):
    seen = WebUIHost().refresh(made(a1111.root / "hypernetworks", name), "hypernetwork")
    assert (seen.shown, "<hypernet:fox:1>" in seen.why) == (True, True)
    other = made(a1111.root / "elsewhere", "fox.pt")
    assert "rename one of them" in WebUIHost().refresh(other, "hypernetwork").why


def test_a_hypernetwork_is_not_shown_in_forge_which_does_not_apply_it(forge):
    seen = WebUIHost().refresh(made(forge.root / "hypernetworks", "fox.pt"), "hypernetwork")
    assert (seen.shown, "does not apply" in seen.why) == (False, True)
