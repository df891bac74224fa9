"""Crops in the browser: seen before anything is written, drawn by mouse and keyboard, copied and taken back."""

from __future__ import annotations

import json

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.engine]
pytest.importorskip("PIL")
pytest.importorskip("cv2")

from PIL import Image, ImageDraw  # noqa: E402

# The reckoning of the box, with many random drags: it never leaves its picture, and keeps its shape.
KEEPS_ITS_SHAPE = """async () => {
  const { between, edges, grown, moved, shaped } = await import('/trainer/page/crop_box.mjs');
  let seed = 1;
  const random = () => ((seed = (seed * 16807) % 2147483647) / 2147483647);
  const wrong = [];
  for (let round = 0; round < 2000; round += 1) {
    const size = { width: 40 + random() * 3000, height: 40 + random() * 3000 };
    const shape = 0.5 + random() * 1.5;
    const point = () => ({ x: random() * size.width, y: random() * size.height });
    const boxes = [between(point(), point(), shape, size)];
    boxes.push(moved(boxes[0], (random() - 0.5) * 5000, (random() - 0.5) * 5000, size));
    boxes.push(grown(boxes[0], random() * 5000, shape, size), shaped(boxes[0], shape, size));
    for (const { left, top, width, height } of boxes) {
      const isHigh = top >= -1e-6 && top + height <= size.height + 1e-6;
      const isInside = isHigh && left >= -1e-6 && left + width <= size.width + 1e-6;
      const isShaped = Math.abs(width / height / shape - 1) < 1e-6;
      if (!isInside || !isShaped) wrong.push([size, shape, left, top, width, height]);
    }
    const whole = { width: Math.ceil(size.width), height: Math.ceil(size.height) };
    const [left, top, right, bottom] = edges(boxes[0], whole);
    if (!(left < right && top < bottom && right <= whole.width && bottom <= whole.height)) wrong.push('edges');
  }
  return wrong.slice(0, 3);
}"""


@pytest.fixture
def photos(tmp_path):
    """Two calm pictures with a thing near their right end."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("a", "b"):
        picture = Image.linear_gradient("L").resize((400, 200)).convert("RGB")
        ImageDraw.Draw(picture).ellipse((270, 50, 370, 150), fill="red")
        picture.save(folder / f"{name}.png")
    return folder


def test_crops_are_seen_drawn_by_hand_copied_and_taken_back(trainer, visit, photos):
    trainer.start()
    page = visit()
    page.click("#trainer-tab-pictures")
    page.click("#trainer-section-crop")
    page.wait_for_selector("#trainer-draw-boxes")
    page.fill("#trainer-pictures-folder", str(photos))
    page.select_option("#trainer-prepare-crop", "focal")
    page.fill("[id='trainer-prepare-buckets.resolution']", "64")
    page.click("#trainer-look")
    page.wait_for_selector(".trainer-found-cut", state="attached", timeout=60_000)
    page.locator(".trainer-found-cut").first.scroll_into_view_if_needed()  # small copies are fetched when they are seen
    page.wait_for_selector(".trainer-found-cut img")
    page.click("#trainer-draw-boxes")
    page.wait_for_selector("#trainer-crop-box")
    boxes = photos / ".crops.json"
    box = page.locator("#trainer-crop-box").bounding_box()
    page.mouse.move(box["x"] + box["width"] - 1, box["y"] + box["height"] - 1)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.up()
    for _ in range(60):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('#trainer-crop-remove').disabled === false")
    drawn = json.loads(boxes.read_text(encoding="utf-8"))["pictures"]
    assert list(drawn) == ["a.png"]
    left, top, right, bottom = drawn["a.png"]["box"]
    assert (left, drawn["a.png"]["size"]) == (0, [400, 200])
    assert 0 <= top < bottom <= 200
    assert right < 300
    page.keyboard.press("PageDown")
    page.wait_for_function("document.querySelector('#trainer-crop-title').textContent === 'b.png'")
    assert page.evaluate(KEEPS_ITS_SHAPE) == []
    page.keyboard.press("Escape")
    page.wait_for_selector("text=crop drawn by you")
    page.click("#trainer-prepare")
    page.wait_for_selector("#trainer-take-back", timeout=60_000)
    copies = photos.with_name("photos-prepared")
    assert sorted(path.name for path in copies.glob("*.png")) == ["a.png", "b.png"]
    page.click("#trainer-take-back")
    page.wait_for_selector("text=2 copies moved to")
    assert list(copies.glob("*.png")) == []
    assert sorted(path.name for path in photos.glob("*.png")) == ["a.png", "b.png"]
