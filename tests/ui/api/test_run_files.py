"""What a run has made."""

from __future__ import annotations

import pytest

from lib_trainer.core.events import Cell, Saved
from lib_trainer.ui.host import Visibility
from tests.ui.api.conftest import PNG, PROJECT

RUN = f"{PROJECT}/runs/train-1"
JPEG, WEBP = b"\xff\xd8\xff\xe0pixels", b"RIFF\0\0\0\0WEBPpixels"


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [("a.png", PNG, "image/png"), ("a.JPG", JPEG, "image/jpeg"), ("a.jpeg", JPEG, "image/jpeg"),
     ("a.webp", WEBP, "image/webp")],
)  # fmt: skip
def test_a_picture_in_the_runs_folder_is_sent(browser, make_run, name, content, kind):
    run = make_run("train-1")
    (run.path / name).write_bytes(content)
    answer = browser.get(f"{RUN}/file", path=run.path / name)
    assert (answer.status, answer.content, answer.media_type) == (200, content, kind)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_the_tag_changes_with_the_picture(browser, make_run):
    run = make_run("train-1")
    file = run.path / "a.png"
    file.write_bytes(PNG)
    first, again = (browser.get(f"{RUN}/file", path=file).headers["ETag"] for _ in range(2))
    file.write_bytes(PNG + b"more")
    assert first == again != browser.get(f"{RUN}/file", path=file).headers["ETag"]


def test_pictures_elsewhere_are_sent_if_the_run_told_them(browser, make_run, picture):
    told, cell, other = picture("a.png"), picture("b.png"), picture("c.png")
    make_run("train-1", events=(Saved("picture", str(told)), Cell(0, 0, str(cell), "")))
    make_run("train-2", events=(Saved("picture", str(other)),))
    assert [browser.get(f"{RUN}/file", path=path).status for path in (told, cell, other)] == [200, 200, 403]


@pytest.mark.parametrize(
    ("name", "content"),
    [("job.json", None), ("events.jsonl", None), ("a.txt", PNG), ("a.png", b"<svg onload=alert(1)>"), ("a.png", b""),
     ("a.html", PNG), ("a.png", JPEG), ("a.svg", PNG), ("a.safetensors", PNG)],
)  # fmt: skip
def test_what_is_no_picture_is_not_sent_even_from_the_runs_folder(browser, make_run, name, content):
    run = make_run("train-1", events=(Saved("network", "/x.safetensors"),))
    if content is not None:
        (run.path / name).write_bytes(content)
    answer = browser.get(f"{RUN}/file", path=run.path / name)
    assert (answer.status, answer.error) == (403, f"{name} is no picture.")


def test_a_picture_that_went_is_told(browser, make_run, picture):
    file = picture("a.png")
    make_run("train-1", events=(Saved("picture", str(file)),))
    file.unlink()
    answer = browser.get(f"{RUN}/file", path=file)
    assert (answer.status, answer.error) == (404, "a.png is not there any more.")


def test_what_deleting_takes_is_told_with_its_size(browser, make_run, picture):
    network = picture("lora/style-e001.safetensors", b"x" * 100)
    beside = picture("lora/style-e001.json", b"y" * 10)
    gone = network.with_name("style-e002.safetensors")
    run = make_run("train-1", events=tuple(Saved("network", str(path)) for path in (network, gone)))
    (run.path / "states").mkdir()
    (run.path / "states" / "state").write_bytes(b"z" * 1000)
    own = sum(path.stat().st_size for path in run.path.rglob("*") if path.is_file())
    told = browser.get(f"{RUN}/goes").data
    assert told["folder"] == str(run.path)
    assert told["files"] == [{"path": str(network), "bytes": 100}, {"path": str(beside), "bytes": 10}]
    assert (told["folder_bytes"], told["bytes"]) == (own, own + 110)


def test_whether_the_host_lists_a_network_is_what_the_host_says(browser, make_run, picture, monkeypatch):
    network = picture("lora/style.safetensors")
    make_run("train-1", events=(Saved("network", str(network)),))
    answer = browser.get(f"{RUN}/shown", path=network)
    assert answer.data["shown"] is False and "Copy style.safetensors" in answer.data["why"]
    asked = []
    monkeypatch.setattr(browser.server.host, "refresh", lambda path, output: asked.append(path) or Visibility(True))
    assert browser.get(f"{RUN}/shown", path=network).data == {"shown": True, "why": ""}
    assert asked == [network]


def test_a_network_that_went_is_not_shown_and_one_of_others_is_refused(browser, make_run, picture):
    network = picture("lora/style.safetensors")
    make_run("train-1", events=(Saved("network", str(network)), Saved("picture", str(picture("a.png")))))
    network.unlink()
    answer = browser.get(f"{RUN}/shown", path=network)
    assert answer.data["shown"] is False and "not there any more" in answer.data["why"]
    for other in (picture("lora/other.safetensors"), picture("a.png")):
        assert browser.get(f"{RUN}/shown", path=other).status == 403


@pytest.mark.parametrize("route", ["file", "goes", "shown", "pictures", "thumb"])
def test_of_a_run_that_is_not_there_nothing_is_told(browser, route):
    assert browser.get(f"{RUN}/{route}").status == 404
