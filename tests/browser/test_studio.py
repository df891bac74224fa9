"""The studio as one uses it: pictures dropped, cleaned, cropped, tagged; captions changed at once and one by one."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lib_trainer.demo.places import STYLE
from tests.images.captioners.wd14_miniature import make_tagger

pytestmark = [pytest.mark.browser, pytest.mark.engine]
A_MINUTE = 60_000  # milliseconds
FOLDER = "a set"
BAD = {"empty.png": b"", "page.png": b"<html>404</html>", "cut off.jpg": None}
DROP = """([files]) => {
  const carried = new DataTransfer();
  for (const [name, data] of files) {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    carried.items.add(new File([bytes], name));
  }
  const target = document.querySelector('.trainer-pictures');
  target.dispatchEvent(new DragEvent('drop', { dataTransfer: carried, bubbles: true, cancelable: true }));
}"""

COUNTS = """(rows) => rows.map((row) =>
  [row.querySelector('button').textContent, Number(row.querySelector('.trainer-tag-count').textContent)])"""


def test_thirty_pictures_are_dropped_cleaned_cropped_tagged_and_edited(trainer, visit, photograph):
    make_tagger(trainer.home / "models" / "captioners" / "miniature")
    trainer.start()
    page = visit()
    page.set_default_timeout(A_MINUTE)
    page.click("#trainer-tab-pictures")
    folder = drops_thirty_pictures(page, trainer)
    finds_the_bad_ones(page)
    photograph(page, "studio-look", wide=True)
    bins_the_copies(page, folder, photograph)
    crops_to_what_stands_out(page, folder, photograph)
    tags = has_them_tagged(page, folder)
    replaces_a_tag_and_takes_it_back(page, folder, tags, photograph)
    edits_one(page, folder)
    sees_what_another_program_changes(page, folder)


def drops_thirty_pictures(page, trainer):
    files = [(name, base64.b64encode(content).decode()) for name, content in thirty().items()]
    assert len(files) == 30
    page.wait_for_selector("#trainer-pictures-folder")
    page.evaluate(DROP, [files])
    page.fill("#trainer-upload-folder", FOLDER)
    page.click("dialog[open] button:text-is('Copy')")
    page.wait_for_selector("#trainer-stop-pictures [role=status]:text-is('30 pictures')")
    (folder,) = trainer.home.glob(f"projects/first/**/{FOLDER}")
    return folder


def thirty():
    """20 pictures, 5 that are wide with what matters at their right end, 2 copies, and 3 that are none."""
    drawn = sorted(STYLE.glob("*.png"))
    made = {path.name: path.read_bytes() for path in drawn[:20]}
    for number, path in enumerate(drawn[20:25]):
        made[f"wide {number}.png"] = encoded(wide(path), "PNG")
    with Image.open(drawn[0]) as first:
        made["smaller copy.jpg"] = encoded(first.convert("RGB").resize((200, 200)), "JPEG", quality=60)
    made["same.png"] = made[drawn[1].name]
    whole = encoded(wide(drawn[30]), "JPEG", quality=90)
    return {**made, **{name: whole[: len(whole) // 3] if content is None else content for name, content in BAD.items()}}


def wide(path):
    with Image.open(path) as opened:
        made = Image.new("RGB", (768, 256), "white")
        made.paste(opened.convert("RGB"), (512, 0))
    return made


def encoded(picture, form, **settings):
    into = io.BytesIO()
    picture.save(into, form, **settings)
    return into.getvalue()


def shown(page):
    """The names of the cards, as far as they are drawn."""
    return set(page.eval_on_selector_all(".trainer-gallery [data-n]", "cards => cards.map((card) => card.title)"))


def finds_the_bad_ones(page):
    page.fill("#trainer-pictures-filter", "left out")
    page.check("#trainer-pictures-problems")
    page.wait_for_selector("#trainer-stop-pictures [role=status]:text-is('3 pictures found')")
    assert shown(page) == set(BAD)
    page.uncheck("#trainer-pictures-problems")
    page.fill("#trainer-pictures-filter", "")
    page.wait_for_selector("#trainer-stop-pictures [role=status]:text-is('30 pictures')")


def bins_the_copies(page, folder, photograph):
    page.click("#trainer-section-clean")
    page.click("#trainer-duplicates")
    page.wait_for_selector("#trainer-bin-all")
    photograph(page, "studio-clean")
    page.click("#trainer-bin-all")
    page.wait_for_selector("#trainer-bin-list")
    page.wait_for_selector("#trainer-bin-all", state="hidden")
    first, second = (path.name for path in sorted(STYLE.glob("*.png"))[:2])
    binned = {path.name for path in folder.with_name(f"{FOLDER}-bin").rglob("*.*")}
    for twins in ({first, "smaller copy.jpg"}, {second, "same.png"}):
        kept = {name for name in twins if (folder / name).is_file()}
        assert len(kept) == 1
        assert twins - kept <= binned


def crops_to_what_stands_out(page, folder, photograph):
    page.click("#trainer-section-crop")
    page.select_option("#trainer-prepare-crop", label="focal")
    page.fill("#trainer-prepare-buckets\\.resolution", "128")
    page.evaluate("document.getElementById('trainer-prepare-buckets.square').closest('details').open = true")
    page.check("#trainer-prepare-buckets\\.square")
    page.fill("#trainer-pictures-filter", "wide")
    page.locator("#trainer-pictures-filter").scroll_into_view_if_needed()  # only cards near the window are drawn
    page.wait_for_selector("[data-n]:has-text('768 × 256 → 128 × 128')")
    photograph(page, "studio-crop")
    page.click("#trainer-prepare")
    page.wait_for_selector("#trainer-take-back")
    page.fill("#trainer-pictures-filter", "")
    copies = folder.with_name(f"{FOLDER}-prepared")
    inked = [ink(copies / f"wide {number}.png") for number in range(5)]
    assert min(inked) > 0.05  # in the middle there is nothing but white
    assert all((folder / f"wide {number}.png").is_file() for number in range(5))


def ink(path):
    """The share of a picture that is not white."""
    with Image.open(path) as opened:
        assert opened.size == (128, 128)
        return float((np.asarray(opened.convert("L")) < 200).mean())


def captions(folder):
    return {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.txt")}


def has_them_tagged(page, folder):
    page.click("#trainer-section-captions")
    page.click("#trainer-captioning > summary")
    page.click("#trainer-caption-write")
    page.wait_for_selector("#trainer-captioning [role=status]:has-text('captions written')")
    page.click("#trainer-captioning > summary")
    written = captions(folder)
    counts = {}
    for text in written.values():
        for tag in text.split(", "):
            counts[tag] = counts.get(tag, 0) + 1
    assert len(written) >= 20 and len(counts) >= 2
    page.wait_for_selector(f"#trainer-captions-tags li >> nth={len(counts) - 1}")
    assert dict(page.eval_on_selector_all("#trainer-captions-tags li", COUNTS)) == counts
    return counts


def replaces_a_tag_and_takes_it_back(page, folder, tags, photograph):
    often, count = max(tags.items(), key=lambda entry: entry[1])
    before = captions(folder)
    page.click(".trainer-rule button[title='Take this rule out']")
    page.select_option("#trainer-rules-kind", "replace")
    page.click("#trainer-rules-add")
    page.fill(".trainer-rule[data-kind=replace] [data-path=pairs]", f"{often} => a new word")
    page.wait_for_selector(f"#trainer-rules-apply:text-is('Change {count} captions')")
    first = page.inner_text("#trainer-differences li >> nth=0")
    assert often in first and "a new word" in first
    assert captions(folder) == before
    photograph(page, "studio-captions", wide=True)
    page.click("#trainer-rules-apply")
    page.wait_for_selector(".trainer-toast:has-text('changed')")
    changed = captions(folder)
    assert sum("a new word" in text for text in changed.values()) == count
    assert changed == {name: ", ".join("a new word" if tag == often else tag for tag in text.split(", "))
                       for name, text in before.items()}
    page.click("#trainer-captions-undo")
    page.wait_for_selector(".trainer-toast:has-text('put back')")
    assert captions(folder) == before
    page.click("#trainer-captions-redo")
    page.wait_for_selector(".trainer-toast:has-text('changed again')")
    assert captions(folder) == changed


def edits_one(page, folder):
    page.fill("#trainer-pictures-filter", "wide 0")
    page.wait_for_selector("#trainer-stop-pictures [role=status]:text-is('1 picture found')")
    page.click("[data-n][title='wide 0.png'] .trainer-found-frame")
    page.fill("#trainer-caption", " ".join(["a word"] * 40))
    page.wait_for_selector("#trainer-caption-tokens.trainer-over:has-text('80 of 75 tokens')")
    page.fill("#trainer-caption", "an emoji, a ne")
    page.press("#trainer-caption", "End")
    page.type("#trainer-caption", "w")
    page.click("#trainer-caption-offers li:has-text('a new word')")
    assert page.input_value("#trainer-caption") == "an emoji, a new word"
    page.press("#trainer-caption", "Control+Enter")
    page.wait_for_selector("[data-n][title='wide 0.png'] :text('an emoji, a new word')")
    assert captions(folder)["wide 0"] == "an emoji, a new word"
    page.click("#trainer-captions-tags button:text-is('an emoji')")
    page.wait_for_selector("#trainer-stop-pictures .trainer-subset:has-text('an emoji')")
    page.wait_for_function("() => document.querySelectorAll('.trainer-gallery [data-n]').length === 1")


def sees_what_another_program_changes(page, folder):
    Path(folder / "wide 0.txt").write_text("from elsewhere", encoding="utf-8")
    page.wait_for_selector(".trainer-caption-tools .trainer-warning:has-text('wide 0.png')")
    page.wait_for_function("() => document.querySelector('#trainer-caption').value === 'from elsewhere'")
