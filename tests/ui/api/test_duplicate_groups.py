"""The groups of duplicates come in pages, with the full paths of their small copies."""

from __future__ import annotations

import json

import pytest

from tests.ui.api.conftest import PNG, PROJECT

RUN = f"{PROJECT}/runs/duplicates-1"


@pytest.fixture
def searched(make_run):
    run = make_run("duplicates-1", "duplicates", {"folder": "/photos"})
    pictures = [{"file": "a.png", "thumb": "thumbs/a.png"}, {"file": "b.png", "thumb": ""}]
    groups = [{"kind": "near", "keep": f"{n}.png", "why": "", "pictures": pictures} for n in range(5)]
    report = json.dumps({"folder": "/photos", "groups": groups})
    (run.path / "duplicates.json").write_text(report, encoding="utf-8")
    (run.path / "thumbs").mkdir()
    (run.path / "thumbs" / "a.png").write_bytes(PNG)
    return run


def test_groups_come_in_pages_and_their_thumbs_can_be_asked_for(browser, searched):
    answer = browser.get(f"{RUN}/duplicates", **{"from": 3, "count": 5}).data
    assert (answer["folder"], answer["total"]) == ("/photos", 5)
    assert [group["keep"] for group in answer["groups"]] == ["3.png", "4.png"]
    one, other = answer["groups"][0]["pictures"]
    assert browser.get(f"{RUN}/file", path=one["thumb"]).content == PNG
    assert other["thumb"] == ""


def test_before_the_search_has_ended_and_where_its_report_is_damaged_that_is_told(browser, make_run):
    run = make_run("duplicates-1", "duplicates", {})
    assert browser.get(f"{RUN}/duplicates").status == 409
    for damaged in ("{", "[]", "{}"):
        (run.path / "duplicates.json").write_text(damaged, encoding="utf-8")
        assert "search the folder again" in browser.get(f"{RUN}/duplicates").error
