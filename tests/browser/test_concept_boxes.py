"""The concepts of DreamBooth on the page: a box for each, added, filled, complained about, kept and removed."""

from __future__ import annotations

import json

import pytest

from tests.browser.trainer_page import Page

pytestmark = pytest.mark.browser
SOON = 5_000  # milliseconds
LIST = "#trainer-train-dataset\\.concepts"


@pytest.fixture(scope="module")
def trainer(tmp_path_factory):
    """One page for all of these tests."""
    made = Page(tmp_path_factory.mktemp("page") / "data")
    made.start()
    yield made
    made.end()


def field(number, name):
    return f"{LIST}\\.{number}\\.{name}"


def opens_the_concepts(page):
    page.click("#trainer-tab-train")
    page.click("#trainer-train-fold-dataset summary")
    page.wait_for_selector(f"{LIST}-add")


def test_concepts_are_added_filled_kept_over_a_reload_and_removed(visit, photograph):
    page = visit()
    opens_the_concepts(page)
    page.click(f"{LIST}-add")
    page.fill(field(1, "prompt"), "a photo of sks dog")
    page.click(f"{LIST}-add")
    page.fill(field(2, "prompt"), "a photo of qqq cat")
    page.fill(field(2, "class_prompt"), "a photo of a cat")
    assert page.input_value(field(1, "prompt")) == "a photo of sks dog"
    photograph(page, "concepts")
    page.wait_for_timeout(1500)  # what was typed is saved a little later
    page.reload()
    opens_the_concepts(page)
    assert page.input_value(field(2, "class_prompt")) == "a photo of a cat"
    page.click(f"{LIST} [aria-label='Remove Concept 1']")
    assert page.input_value(field(1, "prompt")) == "a photo of qqq cat"
    assert page.query_selector(field(2, "prompt")) is None
    page.click(f"{LIST} [aria-label='Remove Concept 1']")
    assert page.query_selector(field(1, "prompt")) is None


def test_a_complaint_about_a_concept_stands_in_its_box(visit, tmp_path):
    page = visit(may_be_refused=True)
    opens_the_concepts(page)
    page.fill("#trainer-train-dataset\\.folder", str(tmp_path))
    for _ in range(2):
        page.click(f"{LIST}-add")
    page.fill(field(2, "folder"), str(tmp_path / "gone"))
    complaint = page.wait_for_selector(f"{field(2, 'folder')}-complaint:visible", timeout=SOON)
    assert str(tmp_path / "gone") in complaint.inner_text()
    page.fill(field(2, "folder"), "")
    same = page.wait_for_selector(f"{field(2, 'folder')}-complaint:has-text('concept 1 too')", timeout=SOON)
    assert str(tmp_path) in same.inner_text()
    for _ in range(2):
        page.click(f"{LIST} [aria-label='Remove Concept 1']")


def test_a_recipe_with_concepts_fills_their_boxes_and_a_search_finds_them(visit, tmp_path):
    recipe = tmp_path / "recipe.json"
    recipe.write_text(json.dumps({"dataset": {"concepts": [{"class_prompt": "a photo of a dog"}]}}), encoding="utf-8")
    page = visit(may_be_refused=True)
    page.click("#trainer-tab-train")
    page.set_input_files("#trainer-recipe-file", str(recipe))
    page.fill("#trainer-train-search", "class prompt")
    page.wait_for_selector(f"{field(1, 'class_prompt')}:visible", timeout=SOON)
    assert page.input_value(field(1, "class_prompt")) == "a photo of a dog"
    assert not page.is_visible(field(1, "folder"))
