"""What goes wrong is shown truthfully, in its place, and within five seconds."""

from __future__ import annotations

import shutil

import pytest

from lib_trainer.core.events import Failed, Finished, Loss, Started
from lib_trainer.core.run_directory import RunDirectory
from tests.browser.trainer_page import STEPS_SHOWN, kill_engine

pytestmark = pytest.mark.browser
SOON = 5_000  # milliseconds
SOME_MINUTES = 300_000
BAR = "#trainer-stop-progress .trainer-run-bar[data-state={}]"
AWAY = "text=The trainer's server does not answer."


def ended_run(trainer, ending, name="train-1"):
    """A run that has ended, as an engine leaves it."""
    run = RunDirectory(trainer.home / "projects" / "first" / "runs" / name)
    run.create("train", {"model": "nowhere.safetensors", "epochs": 1, "saving": {"name": "cats"}})
    for event in (Started("train", 1), *(Loss(step, 1, 0.2, {"unet": 1e-4}) for step in range(1, 5)), ending):
        run.append(event)
    return run


def test_a_server_that_was_killed_is_said_to_be_away_and_found_again(trainer, visit):
    ended_run(trainer, Finished({}))
    trainer.start()
    page = visit(may_be_refused=True)
    page.click("#trainer-tab-progress")
    page.wait_for_selector(BAR.format("finished"))
    trainer.kill()
    page.wait_for_selector(AWAY, timeout=SOON)
    trainer.start()
    page.wait_for_selector(AWAY, state="hidden", timeout=15_000)
    ended_run(trainer, Failed("The disk is full."), "train-2")
    page.click("#trainer-tab-runs")
    page.wait_for_selector("tr[data-run=train-2][data-state=failed]:has-text('The disk is full.')", timeout=SOON)


def test_a_run_whose_folder_has_vanished_is_shown_as_gone(trainer, visit):
    run = ended_run(trainer, Finished({}))
    trainer.start()
    page = visit(may_be_refused=True)
    page.click("#trainer-tab-progress")
    page.wait_for_selector(BAR.format("finished"))
    shutil.rmtree(run.path)
    page.wait_for_selector(BAR.format("vanished"), timeout=SOON)
    page.wait_for_selector("#trainer-stop-progress .trainer-banner-error:has-text('is gone')", timeout=SOON)


@pytest.mark.engine
@pytest.mark.slow
def test_a_killed_engine_shows_as_interrupted_in_two_browsers_and_resume_finishes_it(trainer, visit):
    trainer.start()
    run = trainer.train()
    one, other = visit(may_be_refused=True), visit(may_be_refused=True)
    for page in (one, other):
        page.click("#trainer-tab-progress")
        page.wait_for_function(f"() => {STEPS_SHOWN} >= 3", timeout=SOME_MINUTES)
    refused = trainer.visitor.post(f"projects/first/runs/{run['id']}/resume")
    assert refused.status == 409
    assert refused.data["error"]
    kill_engine(trainer.home / "projects" / "first" / "runs" / run["id"])
    for page in (one, other):
        page.wait_for_selector(BAR.format("interrupted"), timeout=SOON)
    one.click("#trainer-run-resume")
    other.wait_for_selector(BAR.format("running"), timeout=SOME_MINUTES)
    for page in (one, other):
        page.wait_for_selector(BAR.format("finished"), timeout=SOME_MINUTES)
        assert "16 of 16" in page.inner_text("#trainer-stop-progress .trainer-figures")
    assert (trainer.home / "models" / "Lora" / "openmoji-e002.safetensors").is_file()
