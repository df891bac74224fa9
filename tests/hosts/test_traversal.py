"""Attempts to read or write what lies outside of the projects: every one of them comes back with nothing."""

from __future__ import annotations

import os
from urllib.parse import quote

import pytest

from tests.hosts.small_webui import SECRET

pytestmark = pytest.mark.hosts
RUN = "/trainer/api/projects/first/runs/train-1"

# What an attacker asks for: {up} is the way from the page's or the run's folder to the outside, {out} its full path.
READS = {
    "a page file by dots": "/trainer/page/{up}/secret.mjs",
    "a page file by dots behind slashes in code": "/trainer/page/{up_coded}%2Fsecret.mjs",
    "a page file by coded dots": "/trainer/page/%2e%2e/%2e%2e/%2e%2e/%2e%2e{out}/secret.mjs",
    "a page file by dots coded twice": "/trainer/page/%252e%252e%252fsecret.mjs",
    "a page file by backslashes": "/trainer/page/..%5C..%5Csecret.mjs",
    "a page file by its full path": "/trainer/page/{out_coded}%2Fsecret.mjs",
    "a page file behind two slashes": "/trainer/page/{out}/secret.mjs",
    "a page file cut off by a zero": "/trainer/page/{out_coded}%2Fsecret.mjs%00main.mjs",
    "a run's file by its full path": RUN + "/file?path={out_coded}%2Fsecret.png",
    "a run's file by dots": RUN + "/file?path={up_coded}%2Fsecret.png",
    "a run's file from the run's folder on": RUN + "/file?path={run_coded}%2F{up_coded}%2Fsecret.png",
    "a run's file through a link": RUN + "/file?path={run_coded}%2Flink.png",
    "a run's file as an address": RUN + "/file?path=file%3A%2F%2F{out_coded}%2Fsecret.png",
    "a run's file cut off by a zero": RUN + "/file?path={out_coded}%2Fsecret.png%00.png",
    "a run's file from the home": RUN + "/file?path=~%2Fsecret.png",
    "a run outside": "/trainer/api/projects/first/runs/{up_coded}",
    "the events of a run outside": "/trainer/api/projects/first/runs/{up_coded}/events",
    "a form outside": "/trainer/api/projects/{up_coded}/form",
    "a preset outside": "/trainer/api/projects/first/presets/train/{up_coded}%2Fsecret",
    "a preset of a step outside": "/trainer/api/projects/first/presets/{up_coded}%2Ftrain/secret",
    "a picture of a listing by its place": RUN + "/thumb?n=-1%2F{up_coded}%2Fsecret.png",
    "whether a file outside is shown": RUN + "/shown?path={out_coded}%2Fsecret.txt",
    "the names in a folder outside": "/trainer/api/folders?path={out_coded}",
    "the names in a folder by dots": "/trainer/api/folders?path={home_coded}%2F..%2Foutside",
}
WRITES = {
    "an upload by its name": ("POST", "/trainer/api/projects/first/upload?name={up_coded}%2Fevil.png&folder=a"),
    "an upload by its folder": ("POST", "/trainer/api/projects/first/upload?name=evil.png&folder={up_coded}"),
    "an upload by a full path": ("POST", "/trainer/api/projects/first/upload?name=evil.png&folder={out_coded}"),
    "a preset": ("PUT", "/trainer/api/projects/first/presets/train/{up_coded}%2Fevil"),
    "a form": ("PUT", "/trainer/api/projects/{up_coded}/form"),
    "a project's removal": ("DELETE", "/trainer/api/projects/{up_coded}"),
    "a run's removal": ("POST", "/trainer/api/projects/first/runs/{up_coded}/delete"),
    "a picture into the bin": ("POST", "/trainer/api/projects/first/bin"),
    "a picture back from the bin": ("POST", "/trainer/api/projects/first/bin/restore"),
    "a return from the bin": ("POST", RUN + "/undelete"),
    "a choice": ("POST", "/trainer/api/projects/first/choose"),
    "a new project": ("POST", "/trainer/api/projects"),
}


def filled(pattern, webui):
    """The address, with the ways to the outside put in."""
    up = os.path.relpath(webui.outside, webui.run.path)
    words = {"up": up, "out": webui.outside, "run": webui.run.path, "home": webui.home}
    coded = {f"{name}_coded": quote(str(value), safe="") for name, value in words.items()}
    return pattern.format(**words, **coded)


def left_behind(webui):
    """The outside, and all that lies beside the data folder."""
    return sorted((str(path), path.read_bytes()) for path in webui.outside.rglob("*") if path.is_file()), sorted(
        path.name for path in webui.home.parent.iterdir()
    )


@pytest.mark.parametrize("attempt", READS)
def test_nothing_outside_is_read(webui, attempt):
    answer = webui.visitor.get(filled(READS[attempt], webui))
    assert 400 <= answer.status < 500
    assert SECRET not in answer.text
    assert "secret.txt" not in answer.text.replace(str(webui.outside / "secret.txt"), "")


@pytest.mark.parametrize("attempt", WRITES)
def test_nothing_outside_is_written_or_removed(webui, attempt):
    before = left_behind(webui)
    method, pattern = WRITES[attempt]
    body = {
        "name": f"../../../{webui.outside.name}/evil", "form": {"evil": True}, "config": {"epochs": 1}, "files": True,
        "bin": os.path.relpath(webui.outside, webui.home / "bin"), "network": str(webui.outside / "secret.txt"),
        "strength": 1.0, "activation": "evil", "folder": str(webui.outside), "entries": ["000001"],
    }  # fmt: skip
    if "upload" in pattern:
        address = filled(pattern, webui)
        answer = webui.visitor.ask(method, address, b"evil", Content_Type="application/octet-stream")
    else:
        answer = webui.visitor.ask(method, filled(pattern, webui), body)
    assert 400 <= answer.status < 500
    assert left_behind(webui) == before


def test_what_is_asked_for_rightly_does_come(webui):
    """The tables above would also pass if nothing were served at all."""
    assert webui.visitor.get("/trainer/page/main.mjs").status == 200
    inside = quote(str(webui.run.samples / "one.png"), safe="")
    assert webui.visitor.get(f"{RUN}/file?path={inside}").status == 200
    folders = webui.visitor.get(f"/trainer/api/folders?path={quote(str(webui.home), safe='')}")
    assert "projects" in folders.data["folders"]
