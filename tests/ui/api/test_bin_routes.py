"""The bin by its addresses: pictures go, are listed, and come back; the look that listed them knows."""

from __future__ import annotations

import json

import pytest

from lib_trainer.images.bin_journal import JOURNAL
from tests.ui.api.conftest import PROJECT


@pytest.fixture
def folder(tmp_path, picture):
    for name in ("a.png", "b.png", "c.png"):
        picture(f"webui/cats/{name}")
    return tmp_path / "webui" / "cats"


@pytest.fixture
def look(make_run, folder):
    run = make_run("inspect-1", "inspect", {"folder": str(folder)})
    found = [{"n": n, "file": f"{name}.png", "caption": "", "warnings": []} for n, name in enumerate("abc")]
    (run.path / "listing.json").write_text(json.dumps({"folder": str(folder), "pictures": found}), encoding="utf-8")
    return "inspect-1"


def shown(browser):
    return [each["file"] for each in browser.get(f"{PROJECT}/runs/inspect-1/pictures").data["pictures"]]


def test_pictures_go_to_the_bin_are_listed_there_and_come_back_and_the_gallery_follows(browser, folder, look):
    files = ["a.png", "c.png", "gone.png"]
    answer = browser.post(f"{PROJECT}/bin", folder=str(folder), files=files, reason="blurred", look=look).data
    assert [each["file"] for each in answer["moved"]] == ["a.png", "c.png"]
    assert [each["file"] for each in answer["failures"]] == ["gone.png"]
    assert shown(browser) == ["b.png"]
    told = browser.get(f"{PROJECT}/bin", folder=str(folder)).data
    assert [(each["file"], each["reason"]) for each in told["entries"]] == [("c.png", "blurred"), ("a.png", "blurred")]
    ids = [each["id"] for each in told["entries"]]
    back = browser.post(f"{PROJECT}/bin/restore", folder=str(folder), entries=ids, look=look).data
    assert len(back["moved"]) == 2
    assert shown(browser) == ["a.png", "b.png", "c.png"]
    assert browser.get(f"{PROJECT}/bin", folder=str(folder)).data["entries"] == []
    assert sorted(path.name for path in folder.iterdir()) == ["a.png", "b.png", "c.png"]


@pytest.mark.parametrize("attempt", ["../secret.png", "/{out}/secret.png", "link/secret.png", "a\ud800.png"])
def test_what_lies_outside_can_not_be_moved(guest, tmp_path, folder, attempt):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.png").write_bytes(b"x")
    (folder / "link").symlink_to(outside)
    file = attempt.format(out=outside)
    answer = guest.post(f"{PROJECT}/bin", folder=str(folder), files=[file])
    assert 400 <= answer.status < 500 or answer.data["moved"] == []
    assert (outside / "secret.png").exists()
    told = guest.post(f"{PROJECT}/bin", folder=str(outside), files=["secret.png"])
    assert told.status == 403
    assert guest.get(f"{PROJECT}/bin", folder=str(outside)).status == 403
    assert guest.post(f"{PROJECT}/bin/restore", folder=str(outside), entries=["000001"]).status == 403


def test_where_the_bin_would_lie_outside_it_is_refused(guest, tmp_path, folder):
    answer = guest.post(f"{PROJECT}/bin", folder=str(tmp_path / "webui"), files=["cats/a.png"])
    assert answer.status == 403
    assert (folder / "a.png").exists()


def test_a_journal_that_somebody_forged_writes_nothing_outside(guest, tmp_path, folder):
    guest.post(f"{PROJECT}/bin", folder=str(folder), files=["a.png"])
    journal = folder.parent / "cats-bin" / JOURNAL
    outside = tmp_path / "outside"
    outside.mkdir()
    line = json.loads(journal.read_text(encoding="utf-8").splitlines()[0])
    forged = {**line, "state": "moved", "pieces": [[str(outside / "evil.png"), line["pieces"][0][1]]]}
    journal.write_text(json.dumps(forged) + "\n", encoding="utf-8")
    answer = guest.post(f"{PROJECT}/bin/restore", folder=str(folder), entries=[line["id"]])
    assert answer.status == 403
    assert list(outside.iterdir()) == []


def test_nonsense_is_refused(browser, folder):
    for body in ({}, {"folder": str(folder)}, {"folder": str(folder), "files": [1]}, {"folder": 3, "files": []}):
        assert browser.post(f"{PROJECT}/bin", **body).status == 400
    assert browser.post(f"{PROJECT}/bin", folder=str(folder / "no"), files=["a.png"]).status == 400
