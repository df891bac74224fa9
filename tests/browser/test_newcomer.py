"""A newcomer's way on the real page: from an empty project, with the demo, to "use this epoch"."""

from __future__ import annotations

import json

import pytest

from tests.browser.trainer_page import STEPS_SHOWN

pytestmark = [pytest.mark.browser, pytest.mark.engine]
SOME_MINUTES = 300_000  # milliseconds
SHOWN = "[...document.querySelectorAll('{}')].filter((one) => one.naturalWidth).length"


def test_a_newcomer_gets_from_an_empty_project_to_an_epoch_in_use(trainer, visit, photograph):
    trainer.start()
    page = visit()
    fills_in_the_demo(page)
    looks_at_the_pictures(page, photograph)
    shortens_the_training(page)
    photograph(page, "train", wide=True)
    page.click("#trainer-start")
    run = follows_the_training_over_a_reload(page, trainer, photograph)
    assert run["state"] == "finished"
    networks = [trainer.home / "models" / "Lora" / f"openmoji-e00{epoch}.safetensors" for epoch in (1, 2)]
    assert [network["path"] for network in run["networks"]] == [str(network) for network in networks]
    assert all(network.stat().st_size > 500_000 for network in networks)
    compares_the_epochs(page, photograph)
    comparison = trainer.runs("compare")[0]
    assert comparison["state"] == "finished"
    (grid,) = trainer.home.glob("projects/first/comparisons/*/grid.png")
    assert grid.stat().st_size > 10_000
    assert len(list((grid.parent / "cells").iterdir())) == 6
    uses_the_second_epoch(page, photograph)
    card = json.loads(networks[1].with_suffix(".json").read_text(encoding="utf-8"))
    assert (card["preferred weight"], card["activation text"]) == (0.8, "an openmoji emoji")
    assert card["sd version"]
    assert trainer.runs()[0]["chosen"] == str(networks[1])
    page.click("#trainer-tab-runs")
    page.wait_for_selector(f"tr[data-run='{run['id']}'][data-state='finished']")
    photograph(page, "runs")


def fills_in_the_demo(page):
    assert page.title() == "Trainer"
    page.click("#trainer-tab-train")
    page.click("#trainer-demo")
    page.wait_for_function("() => document.querySelector('#trainer-train-epochs').value === '6'")


def looks_at_the_pictures(page, photograph):
    page.click("#trainer-tab-pictures")
    assert page.input_value("#trainer-pictures-folder").endswith("openmoji-style")
    page.click("#trainer-look")
    page.wait_for_selector("#trainer-stop-pictures [role=status]:text-is('60 pictures')")
    page.wait_for_function(f"() => {SHOWN.format('[data-n] img')} >= 12")
    assert "an openmoji emoji of an avocado" in page.inner_text("[data-n='2']")
    photograph(page, "pictures")


def shortens_the_training(page):
    """Sixteen steps, measured and drawn quickly, by the form's own search."""
    page.click("#trainer-tab-train")
    settings = {"epochs": "2", "dataset.repeats": "1", "validation.timesteps": "1", "previews.steps": "4"}
    for path, value in settings.items():
        page.fill("#trainer-train-search", path)
        page.fill(f"#trainer-train-{path}".replace(".", "\\."), value)
    page.fill("#trainer-train-search", "")
    page.wait_for_selector(".trainer-sum:has-text('16 steps')", timeout=60_000)
    plan = page.inner_text("#trainer-plan")
    assert "60 pictures × 1 repeat × 2 epochs" in plan
    assert "128 × 128" in plan


def follows_the_training_over_a_reload(page, trainer, photograph):
    page.wait_for_function(f"() => {STEPS_SHOWN} >= 3", timeout=SOME_MINUTES)
    run = page.input_value("#trainer-progress-run")
    assert trainer.runs()[0]["state"] == "running"
    page.reload()
    page.wait_for_function(f"() => {STEPS_SHOWN} >= 3")
    assert page.input_value("#trainer-progress-run") == run
    page.wait_for_function(f"() => {STEPS_SHOWN} >= 9", timeout=SOME_MINUTES)
    photograph(page, "progress", wide=True)
    page.wait_for_selector("#trainer-stop-progress .trainer-run-bar[data-state=finished]", timeout=SOME_MINUTES)
    page.wait_for_function(f"() => {STEPS_SHOWN} == 16")
    (only,) = trainer.runs()
    assert only["id"] == run
    return only


def compares_the_epochs(page, photograph):
    page.click("#trainer-compare-epochs")
    planned = "() => document.querySelector('#trainer-compare-plan')?.innerText.startsWith('{} pictures')"
    page.wait_for_function(planned.format(18))
    settings = {"steps": "4", "prompts": "an openmoji emoji of a fox\nan openmoji emoji of a red heart"}
    for path, value in settings.items():
        page.fill("#trainer-compare-search", path)
        page.fill(f"#trainer-compare-{path}", value)
    page.fill("#trainer-compare-search", "")
    page.wait_for_function(planned.format(6))
    page.click("#trainer-compare-start")
    page.wait_for_selector("#trainer-stop-compare .trainer-run-bar[data-state=finished]", timeout=SOME_MINUTES)
    page.wait_for_function(f"() => {SHOWN.format('.trainer-grid img')} === 6")
    page.click("tr[data-row='2'] td button")
    page.wait_for_selector("dialog[open] img")
    assert "Steps: 4" in page.inner_text("dialog[open] pre")
    page.keyboard.press("Escape")


def uses_the_second_epoch(page, photograph):
    page.click("tr[data-row='2'] th button")
    page.fill("#trainer-use-strength", "0.8")
    page.fill("#trainer-use-activation", "an openmoji emoji")
    page.click("dialog[open] button:text-is('Use it')")
    page.wait_for_selector("tr[data-row='2'].trainer-chosen")
    page.wait_for_selector(".trainer-toast:has-text('<lora:openmoji-e002:0.8>')")
    photograph(page, "compare", wide=True)
