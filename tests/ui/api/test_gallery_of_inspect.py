"""The gallery shows what the real step `inspect` has found."""

from __future__ import annotations

import shutil

import pytest

pytestmark = pytest.mark.engine
pytest.importorskip("PIL")

from lib_trainer.demo.places import STYLE  # noqa: E402
from lib_trainer.images.inspect import inspect  # noqa: E402
from lib_trainer.images.options import InspectOptions  # noqa: E402
from tests.ui.api.conftest import PROJECT  # noqa: E402


def test_pictures_thumbs_and_captions_of_a_real_folder(browser, make_run, tmp_path):
    folder = tmp_path / "cats"
    folder.mkdir()
    for name in ("bat.png", "bat.txt", "bear.png", "bear.txt"):
        shutil.copy(STYLE / name, folder)
    (folder / "broken.png").write_bytes(b"no picture")
    run = make_run("inspect-1", "inspect", {"folder": str(folder)})
    inspect(InspectOptions(folder=folder), run)
    here = f"{PROJECT}/runs/inspect-1"
    told = browser.get(f"{here}/pictures").data
    assert [picture["file"] for picture in told["pictures"]] == ["bat.png", "bear.png", "broken.png"]
    assert told["pictures"][0]["caption"] == (STYLE / "bat.txt").read_text(encoding="utf-8").strip()
    assert browser.get(f"{here}/pictures", filter="problem:").data["pictures"][-1]["file"] == "broken.png"
    thumb = browser.get(f"{here}/thumb", n=1)
    assert (thumb.status, thumb.media_type) == (200, "image/webp")
    assert browser.get(f"{here}/thumb", n=2).status == 404
    changed = browser.post(f"{here}/caption", n=1, text="a bear, new").data
    assert changed == {**told["pictures"][1], "caption": "a bear, new"}
    assert browser.post(f"{here}/caption/undo", n=1).data == told["pictures"][1]
