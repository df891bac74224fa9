"""Duplicates on the page: found, laid side by side, moved to the bin without the one that is ticked, brought back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser
pytest.importorskip("PIL")

from PIL import Image  # noqa: E402

from tests.browser.conftest import SCREENSHOTS  # noqa: E402

DEMO = Path(__file__).parents[2] / "lib_trainer" / "demo" / "pictures" / "openmoji-style"


@pytest.fixture
def photos(tmp_path):
    """a and b; and a once more to the byte, and small."""
    folder = tmp_path / "photos"
    folder.mkdir()
    one, other = sorted(DEMO.glob("*.png"))[3:5]
    shutil.copy(one, folder / "a.png")
    shutil.copy(one, folder / "a again.png")
    (folder / "a again.txt").write_text("the same once more", encoding="utf-8")
    image = Image.open(one).convert("RGB")
    image.resize((image.width // 2, image.height // 2)).save(folder / "a small.png")
    shutil.copy(other, folder / "b.png")
    return folder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_duplicates_are_found_moved_to_the_bin_and_brought_back(trainer, visit, photos):
    before = names(photos)
    trainer.start()
    page = visit()
    page.click("#trainer-tab-pictures")
    page.fill("#trainer-pictures-folder", str(photos))
    page.click("#trainer-look")
    page.wait_for_selector(".trainer-found")
    page.click("#trainer-section-clean")
    page.click("#trainer-duplicates")
    group = page.locator('#trainer-duplicate-groups [data-kind="near"]')
    group.wait_for()
    keep = group.get_by_role("checkbox")
    assert [box.get_attribute("aria-label") for box in keep.all()] == [
        "Keep a again.png", "Keep a small.png", "Keep a.png",
    ]  # fmt: skip
    assert [box.is_checked() for box in keep.all()] == [True, False, False]  # it has a caption
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "duplicates.png", full_page=True)

    group.get_by_label("Keep a.png").check()
    group.get_by_role("button", name="Move 1 picture to the bin").click()
    page.locator("#trainer-bin-list").wait_for()
    assert names(photos) == [name for name in before if name != "a small.png"]
    page.locator("#trainer-bin-list summary").click()
    page.screenshot(path=SCREENSHOTS / "bin.png", full_page=True)
    page.get_by_role("button", name="Bring a small.png back").click()
    page.locator("#trainer-bin-list").wait_for(state="hidden")
    assert names(photos) == before
    group.get_by_role("button", name="Move 1 picture to the bin").wait_for()

    page.click("#trainer-bin-all")
    page.locator("#trainer-bin-list").wait_for()
    page.click("#trainer-section-look")
    page.wait_for_function("document.querySelectorAll('.trainer-found').length === 3")
