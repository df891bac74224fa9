"""Crop boxes drawn on the page, the picture to draw them on, and prepared copies taken back."""

from __future__ import annotations

import json
import shutil

import pytest

from lib_trainer.images.bin import binned
from lib_trainer.images.crops.drawn import CROPS_FILE, DrawnBox, read_boxes, write_boxes
from tests.ui.api.conftest import PNG, PROJECT

RUN = f"{PROJECT}/runs/inspect-1"
FOUND = {"how": "crop", "target": [512, 512], "crop": [50.0, 0.0, 150.0, 100.0]}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "webui" / "cats"


@pytest.fixture
def look(make_run, picture, folder, tmp_path):
    """`look(buckets={...})`: a run that has found a.png, 200 x 100 pixels; other values go into its listing."""

    def made(listed=(), **config):
        shutil.rmtree(tmp_path / "data" / "projects" / "first" / "runs" / "inspect-1", ignore_errors=True)
        run = make_run("inspect-1", "inspect", {"folder": str(folder), **config})
        picture("webui/cats/a.png")
        entry = {"n": 0, "file": "a.png", "width": 200, "height": 100, "thumb": "", "problem": "", **FOUND}
        listing = {"folder": str(folder), "pictures": [{**entry, **dict(listed)}]}
        (run.path / "listing.json").write_text(json.dumps(listing), encoding="utf-8")
        return run

    return made


def test_a_box_is_kept_beside_the_pictures_and_shown_at_once(browser, look, folder):
    look(buckets={"resolution": 64, "step": 8})
    answer = browser.ask("POST", f"{RUN}/box", {"n": 0, "box": [0, 10, 48, 90]})
    assert answer.status == 200
    told = answer.data
    assert (told["crop"], told["target"], told["drawn"]) == ([0.0, 10.0, 48.0, 90.0], [48, 80], True)
    assert read_boxes(folder) == {"a.png": DrawnBox((200, 100), (0, 10, 48, 90))}
    assert browser.get(f"{RUN}/pictures").data["pictures"] == [told]


def test_a_box_of_another_shape_is_shown_as_it_will_be_cut(browser, look):
    look(buckets={"resolution": 64, "step": 8, "square": True})
    told = browser.ask("POST", f"{RUN}/box", {"n": 0, "box": [0, 0, 100, 50]}).data
    assert (told["crop"], told["target"]) == ([25.0, 0.0, 75.0, 50.0], [64, 64])
    look(resize="exact", width=40, height=40, crop="pad")
    told = browser.ask("POST", f"{RUN}/box", {"n": 0, "box": [0, 0, 100, 50]}).data
    assert (told["crop"], told["target"]) == ([0, 0, 100, 50], [40, 40])


def test_a_forgotten_box_leaves_the_picture_as_the_look_found_it(browser, look, folder):
    look({"pieces": [FOUND, FOUND]}, buckets={"resolution": 64, "step": 8})
    write_boxes(folder, {"other.png": DrawnBox((5, 5), (0, 0, 2, 2))})
    before = browser.get(f"{RUN}/pictures").data["pictures"][0]
    for box in ([0, 0, 40, 60], [20, 0, 60, 60]):
        assert "pieces" not in browser.ask("POST", f"{RUN}/box", {"n": 0, "box": box}).data
    assert browser.ask("POST", f"{RUN}/box", {"n": 0, "box": []}).data == before
    assert list(read_boxes(folder)) == ["other.png"]


def test_a_box_that_was_there_before_the_look_is_forgotten_too(browser, look, folder):
    look({"drawn": True})
    write_boxes(folder, {"a.png": DrawnBox((200, 100), (50, 0, 150, 100))})
    assert "drawn" not in browser.ask("POST", f"{RUN}/box", {"n": 0, "box": []}).data
    assert read_boxes(folder) == {}


@pytest.mark.parametrize(
    "box", [[0, 0, 201, 50], [10, 0, 10, 50], [-1, 0, 10, 50], [0, 0, 10], [0, 0, 10, 1.5], [0, 0, 10, "5"], [True] * 4]
)
def test_a_box_that_is_none_is_refused_and_nothing_is_written(browser, look, folder, box):
    look()
    answer = browser.ask("POST", f"{RUN}/box", {"n": 0, "box": box})
    assert (answer.status, "'box' must be" in answer.error) == (400, True)
    assert not (folder / CROPS_FILE).exists()


def test_a_damaged_file_of_boxes_is_named_and_left(browser, look, folder):
    look()
    (folder / CROPS_FILE).write_text("mine", encoding="utf-8")
    answer = browser.ask("POST", f"{RUN}/box", {"n": 0, "box": [0, 0, 10, 10]})
    assert answer.status == 400
    assert CROPS_FILE in answer.error
    assert (folder / CROPS_FILE).read_text(encoding="utf-8") == "mine"


def test_the_shapes_are_those_of_the_looks_options_the_squarest_first(browser, look):
    look(buckets={"resolution": 64, "step": 32})
    assert browser.get(f"{RUN}/shapes").data["shapes"] == [[64, 64], [32, 96], [96, 32], [32, 128], [128, 32]]
    look(resize="exact", width=40, height=80)
    assert browser.get(f"{RUN}/shapes").data["shapes"] == [[40, 80]]
    look(resize="shortest")
    assert browser.get(f"{RUN}/shapes").data["shapes"] == [[512, 512]]


def test_the_original_is_sent_and_only_from_where_the_page_may_reach(browser, guest, look, picture, tmp_path):
    run = look()
    picture("webui/cats/a.png", PNG + b"whole")
    assert browser.get(f"{RUN}/original", n=0).content == PNG + b"whole"
    assert browser.get(f"{RUN}/original", n=1).status == 404
    picture("outside/a.png", PNG + b"secret")
    for folder, file in ((tmp_path / "outside", "a.png"), (tmp_path / "webui" / "cats", "../../outside/a.png")):
        entry = {"n": 0, "file": file, "width": 200, "height": 100, **FOUND}
        listing = {"folder": str(folder), "pictures": [entry]}
        (run.path / "listing.json").write_text(json.dumps(listing), encoding="utf-8")
        assert guest.get(f"{RUN}/original", n=0).status == 403
        assert guest.ask("POST", f"{RUN}/box", {"n": 0, "box": [0, 0, 10, 10]}).status == 403
    assert not (tmp_path / "outside" / CROPS_FILE).exists()


@pytest.fixture
def prepared(make_run, picture, tmp_path):
    run = make_run("prepare-1", "prepare", {"folder": str(tmp_path / "webui" / "cats")})
    output = tmp_path / "webui" / "cats-prepared"
    for name in ("a.png", "b.png", "mine.png"):
        picture(f"webui/cats-prepared/{name}")
    picture("webui/cats-prepared-masks/a.png")
    (output / "a.txt").write_text("a cat", encoding="utf-8")
    told = {"folder": str(output), "files": ["a.png", "b.png", "gone.png"]}
    (run.path / "copies.json").write_text(json.dumps(told), encoding="utf-8")
    return output


def test_copies_are_taken_back_into_the_bin_with_captions_and_masks(browser, prepared):
    answer = browser.ask("POST", f"{PROJECT}/runs/prepare-1/take-back", {})
    assert (answer.data["moved"], answer.data["failures"]) == (2, [])
    assert [path.name for path in prepared.iterdir()] == ["mine.png"]
    assert not (prepared.with_name("cats-prepared-masks") / "a.png").exists()
    assert sorted(entry.file for entry in binned(prepared)) == ["a.png", "b.png"]
    again = browser.ask("POST", f"{PROJECT}/runs/prepare-1/take-back", {})
    assert (again.status, "any more" in again.error) == (409, True)


def test_a_run_that_made_no_copies_has_none_to_take_back(browser, look):
    look()
    assert browser.ask("POST", f"{RUN}/take-back", {}).status == 409


def test_copies_outside_of_what_may_be_reached_stay(guest, prepared, tmp_path):
    run = next(tmp_path.glob("data/projects/first/runs/prepare-1"))
    (tmp_path / "away").mkdir()
    (tmp_path / "away" / "a.png").write_bytes(PNG)
    told = {"folder": str(tmp_path / "away"), "files": ["a.png"]}
    (run / "copies.json").write_text(json.dumps(told), encoding="utf-8")
    assert guest.ask("POST", f"{PROJECT}/runs/prepare-1/take-back", {}).status == 403
    assert (tmp_path / "away" / "a.png").exists()
