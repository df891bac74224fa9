"""Pages of pictures, thumbnails, and captions changed in place."""

from __future__ import annotations

import json
import os

import pytest

from lib_trainer.ui.listings import KEPT
from tests.ui.api.conftest import PNG, PROJECT

RUN = f"{PROJECT}/runs/inspect-1"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "webui" / "cats"


@pytest.fixture
def inspected(make_run, picture, folder):
    """`inspected({"a.png": "a cat"}, problems={"b.png": "is cut off"})`: a run that has found these pictures."""

    def made(told, /, problems=None, name="inspect-1", **config):
        run = make_run(name, "inspect", {"folder": str(folder), **config})
        found = []
        for n, (file, caption) in enumerate(told.items()):
            picture(f"webui/cats/{file}")
            if caption:
                (folder / file).with_suffix(".txt").write_text(caption, encoding="utf-8")
            problem = (problems or {}).get(file, "")
            found.append({"n": n, "file": file, "width": 8, "height": 8, "caption": caption, "warnings": [],
                          "caption_source": ".txt" if caption else "none", "problem": problem,
                          "thumb": f"thumbs/{n}.png"})  # fmt: skip
        (run.path / "listing.json").write_text(json.dumps({"folder": str(folder), "pictures": found}), encoding="utf-8")
        return run

    return made


def files(answer):
    return [picture["file"] for picture in answer.data["pictures"]]


def test_pictures_come_in_pages_with_their_total(browser, inspected):
    inspected({f"{number}.png": "" for number in range(5)})
    answer = browser.get(f"{RUN}/pictures", **{"from": 2, "count": 2})
    assert (files(answer), answer.data["total"]) == (["2.png", "3.png"], 5)
    assert files(browser.get(f"{RUN}/pictures", **{"from": 5})) == []


def test_the_gallery_gets_all_names_once_and_then_only_the_pictures_it_shows(browser, inspected):
    inspected({f"{number}.png": "even" if number % 2 == 0 else "odd" for number in range(6)})
    assert browser.get(f"{RUN}/names").data == {"files": [f"{number}.png" for number in range(6)]}
    asked = browser.get(f"{RUN}/pictures", filter="odd", count=0, order=1).data
    assert asked == {"total": 3, "pictures": [], "numbers": [1, 3, 5]}
    assert files(browser.get(f"{RUN}/pictures", numbers="5,1")) == ["5.png", "1.png"]


BAD_NUMBERS = [("7", 404), ("", 400), ("1,-1", 400), ("1,x", 400), ("0," * 2000, 400)]


@pytest.mark.parametrize(("numbers", "status"), BAD_NUMBERS)
def test_numbers_that_are_none_are_told(browser, inspected, numbers, status):
    inspected({"a.png": ""})
    answer = browser.get(f"{RUN}/pictures", numbers=numbers)
    assert answer.status == status and answer.error


def test_the_filter_looks_into_names_and_captions_whatever_the_case(browser, inspected):
    inspected({"a.png": "A Red fox", "red.png": "", "c.png": "a dog"})
    assert files(browser.get(f"{RUN}/pictures", filter="RED")) == ["a.png", "red.png"]


def test_the_filter_finds_pictures_with_a_problem_or_a_warning(browser, inspected):
    run = inspected({"a.png": "", "b.png": "", "c.png": ""}, {"b.png": "is cut off"})
    file = run.path / "listing.json"
    listing = json.loads(file.read_text(encoding="utf-8"))
    listing["pictures"][2]["warnings"] = ["small, enlarged 1.8x"]
    file.write_text(json.dumps(listing), encoding="utf-8")
    assert files(browser.get(f"{RUN}/pictures", filter="problem:")) == ["b.png", "c.png"]
    assert files(browser.get(f"{RUN}/pictures", filter="problem: enlarged")) == ["c.png"]


def test_before_the_folder_was_looked_through_that_is_told(browser, make_run):
    make_run("inspect-1", "inspect", {})
    answer = browser.get(f"{RUN}/pictures")
    assert answer.status == 409
    assert "not been looked through yet" in answer.error


def test_a_damaged_listing_is_told(browser, inspected):
    run = inspected({"a.png": ""})
    (run.path / "listing.json").write_text('{"pictures": [{}]}', encoding="utf-8")
    assert "look through the folder again" in browser.get(f"{RUN}/pictures").error


def test_a_listing_stays_in_memory_until_its_file_changes(browser, inspected):
    run = inspected({"a.png": ""})
    listings = browser.server.listings
    first = listings.of(run)
    assert listings.of(run) is first
    for number in range(KEPT):
        listings.of(inspected({"a.png": ""}, name=f"other-{number}"))
    again = listings.of(run)
    assert again is not first and again == first  # only the newest few are kept
    os.utime(run.path / "listing.json", (1, 1))
    assert listings.of(run) is not again


def test_a_thumbnail_is_sent_with_its_type_and_tag(browser, inspected, tmp_path):
    run = inspected({"a.png": ""})
    (run.path / "thumbs").mkdir()
    (run.path / "thumbs" / "0.png").write_bytes(PNG + b"small")
    answer = browser.get(f"{RUN}/thumb", n=0)
    assert (answer.status, answer.content, answer.media_type) == (200, PNG + b"small", "image/png")
    assert answer.headers["Cache-Control"] == "no-cache" and answer.headers["ETag"]


@pytest.mark.parametrize("n", [0, 1, 99999])
def test_a_thumbnail_that_is_not_there_is_a_sentence(browser, inspected, n):
    inspected({"a.png": ""})
    assert browser.get(f"{RUN}/thumb", n=n).status == 404


@pytest.mark.parametrize("thumb", ["../../../../../outside.png", "thumbs/link.png", None, ""])
def test_a_listing_that_points_elsewhere_gives_nothing(browser, inspected, picture, thumb):
    run = inspected({"a.png": ""})
    (run.path / "thumbs").mkdir()
    (run.path / "thumbs" / "link.png").symlink_to(picture("outside.png"))
    file = run.path / "listing.json"
    listing = json.loads(file.read_text(encoding="utf-8"))
    listing["pictures"][0]["thumb"] = thumb
    file.write_text(json.dumps(listing), encoding="utf-8")
    assert browser.get(f"{RUN}/thumb", n=0).status == 404


def test_a_caption_is_written_beside_its_picture_and_shown_from_then_on(browser, inspected, folder):
    run = inspected({"a.png": "old", "b.png": ""})
    answer = browser.post(f"{RUN}/caption", n=1, text="  a cat,\n on a måt ")
    assert (folder / "b.txt").read_text(encoding="utf-8") == "a cat,\n on a måt"
    shown = {**answer.data}
    assert (shown["caption"], shown["caption_source"], shown["n"]) == ("a cat, on a måt", ".txt", 1)
    assert browser.get(f"{RUN}/pictures").data["pictures"][1] == shown
    assert json.loads((run.path / "listing.json").read_text(encoding="utf-8"))["pictures"][1] == shown
    assert (folder / "a.txt").read_text(encoding="utf-8") == "old"


def test_a_caption_that_came_from_a_caption_file_goes_back_there(browser, inspected, folder):
    inspected({"a.png": ""})
    (folder / "a.caption").write_text("old", encoding="utf-8")
    listing = browser.server.listings
    run = browser.server.project("first").run("inspect-1")
    listing.change(run, {0: {**listing.of(run).picture(0), "caption": "old", "caption_source": ".caption"}})
    assert browser.post(f"{RUN}/caption", n=0, text="new").data["caption_source"] == ".caption"
    assert (folder / "a.caption").read_text(encoding="utf-8") == "new"
    assert not (folder / "a.txt").exists()


def test_an_emptied_caption_shows_what_the_training_will_take_instead(browser, inspected, folder):
    inspected({"a.png": "old"}, captions={"prompt": "a photo of sks cat"})
    answer = browser.post(f"{RUN}/caption", n=0, text="")
    assert (answer.data["caption"], answer.data["caption_source"]) == ("a photo of sks cat", "prompt")
    assert (folder / "a.txt").read_text(encoding="utf-8") == ""


def test_pictures_that_share_a_caption_file_change_together(browser, inspected):
    inspected({"a.png": "old", "a.jpg": "old", "sub/a.png": "other"})
    browser.post(f"{RUN}/caption", n=0, text="new")
    captions = [picture["caption"] for picture in browser.get(f"{RUN}/pictures").data["pictures"]]
    assert captions == ["new", "new", "other"]


def test_changes_are_taken_back_one_by_one_byte_for_byte(browser, inspected, folder):
    inspected({"a.png": "old", "b.png": ""})
    latin = "früher".encode("cp1252")
    (folder / "a.txt").write_bytes(latin)
    for text in ("one", "two"):
        browser.post(f"{RUN}/caption", n=0, text=text)
    browser.post(f"{RUN}/caption", n=1, text="three")
    assert browser.post(f"{RUN}/caption/undo", n=0).data["caption"] == "one"
    assert browser.post(f"{RUN}/caption/undo", n=0).data["caption"] == "früher"
    assert (folder / "a.txt").read_bytes() == latin
    assert browser.post(f"{RUN}/caption/undo", n=1).data["caption_source"] == "none"
    assert not (folder / "b.txt").exists()
    answer = browser.post(f"{RUN}/caption/undo", n=0)
    assert (answer.status, answer.error) == (409, "No change of this caption is left to take back.")


def test_what_another_program_wrote_since_is_not_taken_back(browser, inspected, folder):
    inspected({"a.png": "old"})
    browser.post(f"{RUN}/caption", n=0, text="new")
    (folder / "a.txt").write_text("by hand", encoding="utf-8")
    answer = browser.post(f"{RUN}/caption/undo", n=0)
    assert answer.status == 409 and "changed by another program" in answer.error
    assert (folder / "a.txt").read_text(encoding="utf-8") == "by hand"


def test_a_vanished_picture_is_named_and_nothing_written(browser, inspected, folder):
    inspected({"a.png": ""})
    (folder / "a.png").unlink()
    answer = browser.post(f"{RUN}/caption", n=0, text="new")
    assert answer.status == 404 and answer.error.startswith(f"{folder / 'a.png'} is not there any more")
    assert list(folder.iterdir()) == []


def test_a_disk_that_refuses_is_a_sentence_and_leaves_nothing_to_take_back(browser, inspected, folder):
    inspected({"a.png": ""})
    (folder / "a.txt").mkdir()
    (folder / "a.txt" / "in the way").touch()
    answer = browser.post(f"{RUN}/caption", n=0, text="new")
    assert answer.status == 400 and str(folder / "a.txt") in answer.error
    (folder / "a.txt" / "in the way").unlink()
    (folder / "a.txt").rmdir()
    assert browser.post(f"{RUN}/caption/undo", n=0).status == 409


@pytest.mark.parametrize("source", ["file name", "prompt"])
def test_a_caption_that_would_not_be_read_is_not_written(browser, inspected, folder, source):
    inspected({"a.png": ""}, captions={"source": source, "prompt": "a cat"})
    answer = browser.post(f"{RUN}/caption", n=0, text="new")
    assert answer.status == 409 and f"taken from the {source} here" in answer.error
    assert not (folder / "a.txt").exists()


@pytest.mark.parametrize("text", ["x" * 20_001, "half \ud83d", 5, None])
def test_what_is_no_caption_is_refused(browser, inspected, folder, text):
    inspected({"a.png": ""})
    assert browser.post(f"{RUN}/caption", n=0, text=text).status == 400
    assert not (folder / "a.txt").exists()


def test_a_guest_changes_no_captions_outside_of_the_allowed_folders(guest, inspected, folder, tmp_path):
    run = inspected({"a.png": ""})
    assert guest.post(f"{RUN}/caption", n=0, text="fine").status == 200
    outside = tmp_path / "outside"
    folder.rename(outside)
    pictures = [{"file": "a.png", "caption_source": "none"}, {"file": "../outside/a.png", "caption_source": "none"}]
    for told in (outside, tmp_path / "webui"):
        listing = {"folder": str(told), "pictures": pictures}
        (run.path / "listing.json").write_text(json.dumps(listing), encoding="utf-8")
        assert guest.post(f"{RUN}/caption", n=1, text="not fine").status == 403
    assert (outside / "a.txt").read_text(encoding="utf-8") == "fine"
