"""A prompt log on the page: chosen, counted, filtered anew, and its pictures taken from a folder."""

from __future__ import annotations

import csv

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.engine]


@pytest.fixture
def log(tmp_path):
    """Three messages with prompts, of which two have a picture in the folder `mine`, and a row that can't be read."""
    image = pytest.importorskip("PIL.Image")
    pytest.importorskip("duckdb")
    (tmp_path / "mine").mkdir()
    rows = [["Uid", "Who", "When", "Text", "Attachments", "Reactions"]]
    for number, flag in enumerate(("--v 5", "--v 4", "--v 5 --style raw")):
        link = f"https://cdn.example/{number}/fox_{number}.png?ex=1"
        rows.append([str(number), f"user {number}", "2023-05-01", f"**a red fox {number} {flag}** - <@1>", link, ""])
        if number != 1:
            image.new("RGB", (64, 64), (number * 60, 90, 160)).save(tmp_path / "mine" / f"fox_{number}.png")
    path = tmp_path / "log.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([*rows, ["too", "few"]])
    return path


def test_a_log_is_counted_filtered_anew_and_its_pictures_are_taken(trainer, visit, photograph, log):
    trainer.start()
    page = visit(may_be_refused=True)
    page.set_default_timeout(60_000)  # each count starts an engine
    page.click("#trainer-tab-pictures")
    page.click("#trainer-section-bring-in")
    page.click("#trainer-prompt-log > summary")
    page.click("#trainer-log-file")
    page.fill("dialog input", str(log))
    page.click("dialog button:has-text('Choose this')")
    page.wait_for_selector("#trainer-prompt-log td:has-text('**a red fox 0 --v 5**')")
    page.click("#trainer-log-count")
    page.wait_for_selector("#trainer-prompt-log :text(\"has no column 'Content'\")")
    page.click("#trainer-promptlog-form summary:has-text('Columns')")
    page.fill("#trainer-promptlog-columns\\.content", "Text")
    page.click("#trainer-log-count")
    page.wait_for_selector(".trainer-log-left:has-text('3 messages left, with 3 pictures')")
    assert "1 rows of log.csv can't be read" in page.inner_text("#trainer-prompt-log")
    page.click("#trainer-promptlog-form summary:has-text('Filters')")
    page.fill("#trainer-promptlog-filters\\.flags", "v 5")
    page.wait_for_selector(".trainer-log-left:has-text('2 messages left, with 2 pictures')")
    photograph(page, "prompt-log", wide=True)
    page.click("#trainer-promptlog-form summary:has-text('More options')")
    page.fill("#trainer-promptlog-folder", str(log.parent / "mine"))
    page.click("#trainer-log-local")
    page.wait_for_selector("#trainer-prompt-log >> text=2 pictures in")
    folder = trainer.home / "projects" / "first" / "pictures" / "log"
    captions = sorted(path.read_text(encoding="utf-8") for path in folder.glob("*.txt"))
    assert captions == ["a red fox 0", "a red fox 2"]
    page.click("#trainer-log-look")
    page.wait_for_selector(".trainer-gallery [data-n] >> text=a red fox 2")
