"""The doctor's findings come from the run that made them."""

from __future__ import annotations

import json

from tests.ui.api.conftest import PROJECT

RUN = f"{PROJECT}/runs/check-1"


def test_the_findings_of_a_check_are_answered(make_run, browser, tmp_path):
    run = make_run("check-1", "check", {"folder": str(tmp_path)})
    assert browser.get(f"{RUN}/findings").status == 409
    found = [{"kind": "few", "level": "bad", "title": "Few pictures", "sentence": "There is 1.", "files": [],
              "fix": None, "told": {}}]  # fmt: skip
    (run.path / "findings.json").write_text(json.dumps(found), encoding="utf-8")
    assert browser.get(f"{RUN}/findings").data == {"findings": found}
    (run.path / "findings.json").write_text("[{", encoding="utf-8")
    assert browser.get(f"{RUN}/findings").status == 500
