"""Archives and tables on the page: dropped, brought in, looked at, and written again as one file."""

from __future__ import annotations

import base64
import io
import json
import zipfile

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.engine]

DROP = """([files]) => {
    const data = new DataTransfer();
    for (const [name, text] of files) {
        const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
        data.items.add(new File([bytes], name));
    }
    const target = document.querySelector('.trainer-pictures');
    for (const type of ['dragover', 'drop']) {
        target.dispatchEvent(new DragEvent(type, {dataTransfer: data, bubbles: true, cancelable: true}));
    }
}"""


def png(number):
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (64, 64), (number * 40, 90, 160)).save(file, "PNG")
    return file.getvalue()


def archive():
    """Four good pictures, of which two are the same, a damaged one, and one that would lie outside."""
    file = io.BytesIO()
    files = {f"10_fox/{name}.png": png(number) for name, number in (("a", 1), ("b", 2), ("c", 3), ("again", 3))}
    with zipfile.ZipFile(file, "w") as made:
        for name, content in {**files, "cut.png": png(4)[:60], "../../evil.png": png(5)}.items():
            made.writestr(name, content)
    return file.getvalue()


def test_a_dropped_archive_and_kohyas_captions_become_a_folder_that_is_looked_at(trainer, visit, photograph):
    pytest.importorskip("PIL")
    trainer.start()
    page = visit(may_be_refused=True)
    page.click("#trainer-tab-pictures")
    captions = {"a": {"caption": "a red fox", "tags": "1fox"}, "b": {"caption": "a fox"}, "gone": {"caption": "x"}}
    files = [("foxes.zip", archive()), ("meta_cap.json", json.dumps(captions).encode())]
    page.wait_for_selector(".trainer-pictures")
    page.evaluate(DROP, [[(name, base64.b64encode(content).decode()) for name, content in files]])
    page.click("dialog button:has-text('Copy')")
    page.wait_for_selector("#trainer-bring-in li:has-text('meta_cap.json')")
    page.click("#trainer-import")
    page.wait_for_selector("#trainer-bring-in >> text=3 pictures in")
    shown = page.inner_text("#trainer-bring-in")
    for said in ("../../evil.png", "leads out of the archive", "cut.png", "truncated", "the same file as", "gone"):
        assert said in shown
    photograph(page, "bring-in", wide=True)
    folder = trainer.home / "projects" / "first" / "pictures" / "foxes"
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert len(found) == 5 and {"10_fox/a.png", "10_fox/a.txt", "10_fox/b.png", "10_fox/b.txt"} <= found
    assert (folder / "10_fox" / "a.txt").read_text(encoding="utf-8") == "a red fox, 1fox"
    assert not list(trainer.home.rglob("evil.png"))
    page.click("#trainer-import-look")
    page.wait_for_selector("#trainer-stop-pictures >> text=a red fox, 1fox")
    page.click("#trainer-section-bring-in")
    page.click("#trainer-export-fold > summary")
    page.click("#trainer-export")
    page.wait_for_selector("#trainer-export-fold >> text=3 pictures written to")
    written = json.loads((folder.parent / "foxes-metadata.json").read_text(encoding="utf-8"))
    assert written[str(folder / "10_fox" / "b.png")] == {"caption": "a fox"}
    photograph(page, "export-captions")


def test_another_project_ends_every_section_of_this_one(trainer, visit):
    """What is thrown while they end fails the visit."""
    trainer.start()
    page = visit()
    page.click("#trainer-tab-pictures")
    for section in ("bring-in", "look", "clean", "crop", "captions"):
        page.click(f"#trainer-section-{section}")
        page.wait_for_selector(f"#trainer-section-of-{section} > *", state="attached")
    page.click("#trainer-project-new")
    page.fill("#trainer-project-name", "second")
    page.click("dialog button:has-text('Create')")
    page.wait_for_function("document.querySelector('#trainer-project').value === 'second'")
    page.wait_for_selector("#trainer-tab-pictures[aria-selected=true]")
