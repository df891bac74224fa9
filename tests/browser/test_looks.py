"""The page itself: looks, complaints in their places, what is kept of what one fills in, and the login."""

from __future__ import annotations

import pytest

from tests.browser.trainer_page import Page

pytestmark = pytest.mark.browser
SOON = 5_000  # milliseconds
BACKGROUND = "() => getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"


@pytest.fixture(scope="module")
def trainer(tmp_path_factory):
    """One page for all of these tests."""
    made = Page(tmp_path_factory.mktemp("page") / "data")
    made.start()
    yield made
    made.end()


def brightness(page):
    return sum(page.evaluate(BACKGROUND)[:3]) / 3


@pytest.mark.parametrize(("path", "system", "is_dark"), [
    ("", "light", False), ("", "dark", True), ("?__theme=dark", "light", True), ("?__theme=light", "dark", False),
])  # fmt: skip
def test_light_and_dark_follow_the_system_unless_the_address_says_otherwise(visit, path, system, is_dark):
    page = visit(path, color_scheme=system)
    assert (brightness(page) < 100) == is_dark
    words = page.evaluate("() => getComputedStyle(document.querySelector('#trainer')).color.match(/\\d+/g).map(Number)")
    assert (sum(words[:3]) / 3 > 150) == is_dark


def test_a_complaint_stands_beside_its_option_and_nothing_is_started(trainer, visit):
    page = visit(may_be_refused=True)
    page.click("#trainer-tab-train")
    page.fill("#trainer-train-epochs", "-3")
    complaint = page.wait_for_selector("#trainer-train-epochs-complaint:visible", timeout=SOON)
    assert "-3" in complaint.inner_text()
    assert "1 to 100000" in complaint.inner_text().replace(",", "")
    page.click("#trainer-start")
    needed = page.wait_for_selector("#trainer-train-model-complaint:visible", timeout=SOON)
    assert "model" in needed.inner_text()
    assert trainer.runs() == []
    page.fill("#trainer-train-epochs", "3")
    page.wait_for_selector("#trainer-train-epochs-complaint", state="hidden", timeout=SOON)


def test_a_folder_that_has_vanished_is_named_beside_its_field(visit, tmp_path):
    folder = tmp_path / "pictures of a cat"
    page = visit(may_be_refused=True)
    page.click("#trainer-tab-pictures")
    page.fill("#trainer-pictures-folder", str(folder))
    page.click("#trainer-look")
    page.wait_for_selector(f"#trainer-stop-pictures .trainer-error:has-text('{folder}')", timeout=SOON)
    page.click("#trainer-tab-train")
    page.fill("#trainer-train-dataset\\.folder", str(folder))
    page.wait_for_selector(f"#trainer-train-dataset\\.folder-complaint:has-text('{folder}')", timeout=SOON)


def test_what_is_filled_in_is_there_again_after_a_reload_and_in_another_browser(visit):
    page = visit()
    page.click("#trainer-tab-train")
    with page.expect_response(lambda reply: reply.request.method == "PUT" and reply.url.endswith("/first/form")):
        page.fill("#trainer-train-epochs", "7")
    page.reload()
    for each in (page, visit()):
        each.wait_for_selector("#trainer-tab-train[aria-selected=true]")
        each.wait_for_function("() => document.querySelector('#trainer-train-epochs')?.value === '7'")


@pytest.fixture
def locked(tmp_path):
    """A page that asks for a login."""
    made = Page(tmp_path / "data", options={"auth": ("anna:secret",)})
    made.start()
    yield made
    made.end()


def test_with_auth_the_page_comes_after_the_login(locked, browser):
    page = browser.new_page()
    page.goto(locked.visitor.address)
    page.fill("input[type=password]", "secret")
    page.fill("input:not([type=password])", "anna")
    page.click("button")
    page.wait_for_selector("#trainer-tab-train")
    page.click("#trainer-tab-train")
    page.wait_for_selector("#trainer-train-epochs")
    page.close()
