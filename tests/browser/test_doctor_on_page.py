"""The doctor on the page: a check of a folder, its findings, pictures to the bin and back, an option filled in."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser
pytest.importorskip("PIL")

from PIL import Image, ImageFilter  # noqa: E402

from tests.browser.conftest import SCREENSHOTS  # noqa: E402

DEMO = Path(__file__).parents[2] / "lib_trainer" / "demo" / "pictures"


@pytest.fixture
def photos(tmp_path):
    """Six pictures of the demo, enlarged and captioned, one of them blurred; and a damaged file."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, path in enumerate(sorted(DEMO.rglob("*.png"))[:6]):
        image = Image.open(path).convert("RGB").resize((512, 512), Image.Resampling.LANCZOS)
        image = image.filter(ImageFilter.GaussianBlur(8)) if number == 2 else image.filter(ImageFilter.SHARPEN)
        image.save(folder / f"{number}.png")
        (folder / f"{number}.txt").write_text(f"a face, number {number}", encoding="utf-8")
    shutil.copy(folder / "0.txt", folder / "cut.txt")
    (folder / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0 no more")
    return folder


def test_findings_are_shown_and_mended(trainer, visit, photos):
    trainer.start()
    page = visit()
    page.click("#trainer-tab-pictures")
    page.fill("#trainer-pictures-folder", str(photos))
    page.click("#trainer-look")
    page.wait_for_selector(".trainer-found")
    page.click("#trainer-section-clean")
    page.click("#trainer-check")
    damaged = page.locator('[data-kind="corrupt"]')
    damaged.wait_for()
    assert damaged.get_attribute("data-level") == "bad"
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "doctor.png", full_page=True)

    damaged.get_by_role("button", name="Move them to the bin").click()
    damaged.get_by_role("button", name="Bring them back").wait_for()
    assert not (photos / "cut.jpg").exists()
    assert not (photos / "cut.txt").exists()
    damaged.get_by_role("button", name="Bring them back").click()
    damaged.get_by_role("button", name="Move them to the bin").wait_for()
    assert (photos / "cut.jpg").read_bytes().endswith(b"no more")

    blurred = page.locator('[data-kind="blurred"]')
    assert "2.png" in blurred.locator(".trainer-finding-files").text_content()
    blurred.get_by_role("button", name="Show them").click()
    page.locator("#trainer-show-all").wait_for()
    assert page.locator(".trainer-found:visible").count() == page.evaluate(
        "document.querySelectorAll('.trainer-found').length"
    )
