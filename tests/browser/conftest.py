"""The real page in a real browser: Chromium, and visitors that notice every error."""

from __future__ import annotations

import pytest

from tests.browser.trainer_page import Page
from tests.environments import HOME, WITHOUT_CHROMIUM, chromium

SCREENSHOTS = HOME / "screenshots"
WIDTH, HEIGHT = 1280, 900
TALLEST = 1500  # pixels of a screenshot
FAILED = pytest.StashKey()


@pytest.fixture
def trainer(tmp_path):
    """A page with nothing in it yet, and not started either."""
    made = Page(tmp_path / "data")
    yield made
    made.end()


@pytest.fixture(scope="session")
def browser():
    """Chromium without a window."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed; `python3 tests` does it")
    place = chromium()
    if place is None:
        pytest.skip(WITHOUT_CHROMIUM)
    with sync_api.sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=str(place), args=["--no-sandbox", "--disable-gpu"])
        yield made
        made.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest.fixture
def visit(request, browser, trainer):
    """`visit()`: a new visitor with the page open; at the end of the test nothing may have gone wrong unseen."""
    opened, troubles = [], []

    def told(said, may_be_refused):
        if said.type == "error" and not (may_be_refused and said.text.startswith("Failed to load resource")):
            troubles.append(said.text)

    def made(path="", may_be_refused=False, **settings):
        context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, **settings)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.set_default_navigation_timeout(30_000)
        address = trainer.visitor.address
        page.on("console", lambda said: told(said, may_be_refused))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda sent: troubles.append(f"asked {sent.url}") if is_foreign(sent.url, address) else None)
        opened.append(context)
        page.goto(f"{address}/{path}")
        page.wait_for_selector("#trainer-tab-train")
        return page

    yield made
    for place, context in enumerate(opened):
        if request.node.stash.get(FAILED, False):
            SCREENSHOTS.mkdir(parents=True, exist_ok=True)
            context.pages[0].screenshot(path=SCREENSHOTS / f"failed-{request.node.name[:80]}-{place}.png")
        context.close()
    assert troubles == []


def is_foreign(url, address):
    return not url.startswith((address, "data:", "blob:", "about:", "ws:"))


@pytest.fixture
def photograph(visit):
    """`photograph(page, name)`: screenshots, light and dark, of what the page shows; at 1920 too with `wide`."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)

    def made(page, name, wide=False):
        height = min(page.evaluate("document.documentElement.scrollHeight"), TALLEST)
        clip = {"x": 0, "y": 0, "width": WIDTH, "height": max(height, HEIGHT)}
        for look in ("light", "dark"):
            page.evaluate(f"document.body.classList.toggle('dark', {str(look == 'dark').lower()})")
            page.screenshot(path=SCREENSHOTS / f"{name}-{look}.png", full_page=True, clip=clip, animations="disabled")
        page.evaluate("document.body.classList.remove('dark')")
        if wide:
            page.set_viewport_size({"width": 1920, "height": 1080})
            page.screenshot(path=SCREENSHOTS / f"{name}-wide.png", animations="disabled")
            page.set_viewport_size({"width": WIDTH, "height": HEIGHT})

    return made
