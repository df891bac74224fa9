"""Paths and names that try to reach outside read nothing and change nothing, at every address that takes one."""

from __future__ import annotations

import json
import os
from urllib.parse import quote

import pytest

from lib_trainer.core.events import Saved
from lib_trainer.ui.routes import ROUTES
from tests.ui.api.conftest import PNG, PROJECT, Browser

MARK = b"CANARY"
# {away}: from a run's folder to the canary; {outside}: its folder. What stands here has been decoded once already.
ATTEMPTS = [
    "{away}.png", "./{away}.png", "samples/{away}.png", "../{away}.png",
    "../../../../../../../../../../{outside}/canary.png",
    "{outside}/canary.png", "/{outside}/canary.png", "//{outside}/canary.png", "{outside}/./x/../canary.png",
    "{run}/../{away}.png", "{run}/link/canary.png", "{run}/link.png", "{run}/samples/../link/canary.png",
    "file://{outside}/canary.png", "~/canary.png", "....//....//....//{outside}/canary.png",
    "..%2f..%2f..%2f..%2f..%2foutside%2fcanary.png", "%2e%2e%2f%2e%2e%2fcanary.png", "..%252f..%252fcanary.png",
    "..%c0%af..%c0%afcanary.png", "..\\..\\..\\..\\..\\outside\\canary.png", "C:\\outside\\canary.png", "C:canary.png",
    "\\\\server\\share\\canary.png", "\\\\?\\C:\\canary.png", "\\\\.\\pipe\\canary", "//server/share/canary.png",
    "{outside}/canary.png\0.png", "{run}/link.png\0", "canary.png\n", "{outside}/canary.png::$DATA",
    "..", ".", "../", "/", "{outside}", "CON", "NUL.png", "{outside}/canary", "{outside}/canary.json",
    "\ud800", "x" * 5000,
    "*", "{outside}/canary.p*", "$HOME/canary.png", "%HOME%\\canary.png",
]  # fmt: skip

# {here}: the attempt as a part of the address or a value in it. Each answers with a refusal.
READING = [
    ("GET", "/trainer/page/{here}"),
    ("GET", "/trainer/page/x?name={here}"),
    ("GET", "/trainer/api/folders?path={here}"),
    ("GET", "/trainer/api/folders?path={here}&files=.png,.json"),
    ("GET", "/trainer/api/promptlog?path={here}"),
    ("GET", "/trainer/api/projects/{here}/form"),
    ("GET", "/trainer/api/projects/{here}/presets"),
    ("GET", "/trainer/api/projects/{here}/chosen"),
    ("GET", "/trainer/api/projects/{here}/runs"),
    ("DELETE", "/trainer/api/projects/{here}"),
    ("GET", PROJECT + "/presets/train/{here}"),
    ("GET", PROJECT + "/presets/{here}/x"),
    ("DELETE", PROJECT + "/presets/train/{here}"),
    ("GET", PROJECT + "/bin?folder={here}"),
    ("GET", PROJECT + "/runs/{here}"),
    ("GET", PROJECT + "/runs/{here}/events"),
    ("GET", PROJECT + "/runs/{here}/goes"),
    ("GET", PROJECT + "/runs/{here}/thumb?n=0"),
    ("GET", PROJECT + "/runs/{here}/pictures"),
    ("GET", PROJECT + "/runs/{here}/captioned"),
    ("GET", PROJECT + "/runs/{here}/original?n=0"),
    ("GET", PROJECT + "/runs/{here}/shapes"),
    ("GET", PROJECT + "/runs/train-1/original?n={here}"),
    ("GET", PROJECT + "/runs/train-1/file?path={here}"),
    ("GET", PROJECT + "/runs/train-1/shown?path={here}"),
    ("GET", PROJECT + "/runs/train-1/thumb?n={here}"),
    ("GET", PROJECT + "/runs/train-1/pictures?from={here}"),
    ("GET", PROJECT + "/runs/train-1/events?after={here}"),
]
# The attempt stands in the body, as the value of this name. Each answers with a refusal.
TOLD = [
    ("POST", "/trainer/api/projects", "name", {}),
    ("POST", PROJECT + "/choose", "network", {"strength": 1}),
    ("POST", PROJECT + "/runs/train-1/undelete", "bin", {}),
    ("POST", PROJECT + "/runs/train-1/caption", "n", {"text": "x"}),
    ("POST", PROJECT + "/runs/train-1/caption/undo", "n", {}),
    ("POST", PROJECT + "/bin", "folder", {"files": ["canary.png"]}),
    ("POST", PROJECT + "/bin", "masks", {"files": ["canary.png"], "folder": "/"}),
    ("POST", PROJECT + "/bin/restore", "folder", {"entries": ["000001"]}),
    ("POST", PROJECT + "/runs/train-1/box", "n", {"box": [0, 0, 1, 1]}),
    ("POST", PROJECT + "/recipe", "file_name", {"text": "{}"}),
]
# What these write may bear the attempt's text as its plain name, but lies in the project.
WRITING = [
    ("PUT", PROJECT + "/presets/train/{here}", {"config": {}}),
    ("POST", PROJECT + "/upload?name={here}&folder=a", None),
    ("POST", PROJECT + "/upload?name=a.png&folder={here}", None),
    ("POST", PROJECT + "/runs/{here}/delete", {"files": True}),
    ("POST", PROJECT + "/runs/{here}/caption", {"n": 0, "text": "x"}),
    ("PUT", "/trainer/api/projects/{here}/form", {"form": {}}),
]


@pytest.fixture
def places(tmp_path, make_run, picture):
    """What the attempts' names stand for; a run with links that lead to the canary outside of all that is allowed."""
    for ending, content in ((".png", PNG + MARK), (".json", b'{"config": "CANARY"}'), (".mjs", MARK), ("", MARK)):
        picture(f"outside/canary{ending}", content)
    run = make_run("train-1", events=(Saved("network", str(tmp_path / "data" / "own.safetensors")),))
    (run.path / "samples").mkdir()
    (run.path / "link").symlink_to(tmp_path / "outside")
    (run.path / "link.png").symlink_to(tmp_path / "outside" / "canary.png")
    away = os.path.relpath(tmp_path / "outside" / "canary", run.path)
    return {"away": away, "outside": str(tmp_path / "outside"), "run": str(run.path)}


def written(attempt: str, places: dict[str, str]) -> str:
    for name, place in places.items():
        attempt = attempt.replace(f"{{{name}}}", place)
    return attempt


def in_address(text: str) -> str:
    return quote(text, safe="", errors="surrogatepass")


def state_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_nothing_outside_is_read(guest: Browser, places, attempt):
    text = written(attempt, places)
    for method, address in READING:
        answer = guest.ask(method, address.replace("{here}", in_address(text)))
        assert 400 <= answer.status < 500, (address, answer)
        assert MARK not in answer.content, address
    for method, address, name, more in TOLD:
        answer = guest.ask(method, address, {**more, name: text})
        assert 400 <= answer.status < 500, (address, answer)
        assert MARK not in answer.content, address


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_nothing_is_written_outside_of_the_project(guest: Browser, places, tmp_path, attempt):
    text = written(attempt, places)
    arrived = tmp_path / "arrived"
    arrived.write_bytes(b"new")
    before, around = state_of(tmp_path / "outside"), set(tmp_path.iterdir()) | {tmp_path / "data"}
    for method, address, body in WRITING:
        answer = guest.ask(method, address.replace("{here}", in_address(text)), body, arrived)
        assert answer.status < 500 and MARK not in answer.content, (address, answer)
    assert state_of(tmp_path / "outside") == before
    assert set(tmp_path.iterdir()) == around
    assert {path.name for path in (tmp_path / "data").iterdir()} == {"projects"}
    assert {path.name for path in (tmp_path / "data" / "projects").iterdir()} == {"first"}


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_a_configuration_names_nothing_outside(guest: Browser, places, attempt):
    text = written(attempt, places)
    for config in ({"dataset": {"folder": text}, "model": text}, {"saving": {"folder": text}}):
        answer = guest.ask("POST", "/trainer/api/check", {"step": "train", "config": config})
        complained = {complaint["path"] for complaint in answer.data["complaints"]} if answer.status == 200 else set()
        wanted = {"dataset.folder", "model"} if "model" in config else {"saving.folder"}
        assert complained >= wanted or answer.status >= 400, (config, answer)
        assert MARK not in answer.content


def test_every_address_with_a_name_in_it_is_tried():
    tried = [address.partition("?")[0].replace("projects/first", "projects/{project}") for _, address, *_ in
             [*READING, *TOLD, *WRITING]]  # fmt: skip
    names = {pattern for _, pattern in ROUTES if "{name}" in pattern or "{step}" in pattern}
    assert {pattern.replace("{step}", "train").replace("{name}", "{here}") for pattern in names} <= set(tried)


def test_what_is_allowed_would_be_read(guest: Browser, places, picture):
    """The canary is a picture that these addresses do send from where it may lie."""
    own = picture(f"{places['run']}/samples/canary.png", PNG + MARK)
    assert MARK in guest.get(f"{PROJECT}/runs/train-1/file", path=own).content
    assert json.loads(guest.get("/trainer/api/folders", path=places["run"]).content)["path"] == places["run"]
