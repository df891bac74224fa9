"""The models of captioners, and what a run of `caption` wrote, as the page asks for them."""

from __future__ import annotations

from lib_trainer.core.places import data_folder
from lib_trainer.images.captioners import DESCRIBERS, TAGGERS
from lib_trainer.images.captioners.caption_files import Result, Results
from lib_trainer.ui.api.captioners import HOSTED
from lib_trainer.ui.help_for_runs import HELP
from tests.ui.api.conftest import PROJECT


def test_models_are_listed_with_their_sizes_and_whether_they_are_here(browser):
    folder = data_folder() / "models" / "captioners"
    for name in ("wd-vit-tagger-v3", "my-own"):
        (folder / name).mkdir(parents=True)
        for file in ("model.onnx", "selected_tags.csv"):
            (folder / name / file).write_bytes(b"")
    told = browser.get("/trainer/api/captioners").data
    models = {model["name"]: model for model in told["models"]}
    assert told["folder"] == str(folder)
    assert models["wd-vit-tagger-v3"]["path"] == str(folder / "wd-vit-tagger-v3")
    assert models["my-own"] == {
        "name": "my-own", "kind": "wd14", "said": "", "licence": "", "bytes": 0, "path": str(folder / "my-own"),
    }  # fmt: skip
    assert models["florence-2-large"]["path"] == ""
    assert models["florence-2-large"]["bytes"] > 10**9
    assert told["hosted"] == []


def test_the_interrogators_of_a_webui_are_listed_in_its_tab_only(browser):
    browser.server.host.interrogators = lambda: ["tag"]
    assert browser.get("/trainer/api/captioners").data["hosted"] == [
        {
            "name": "Interrogate DeepBooru", "kind": "webui deepbooru", "said": "older tags, by the WebUI itself",
            "hosted": True,
        }
    ]  # fmt: skip


def test_what_a_host_may_be_asked_for_is_in_the_tables_of_captioners():
    assert HOSTED["describe"]["kind"] in DESCRIBERS.names
    assert HOSTED["tag"]["kind"] in TAGGERS.names
    assert {HELP[what].value for what in HOSTED} == {told["kind"] for told in HOSTED.values()}


def test_what_was_written_is_told_picture_by_picture_the_last_word_for_each(browser, make_run):
    run = make_run("caption-1", "caption", {})
    results = Results.of(run)
    results.add(Result("a.png", "written", "a fox", None, "/x/a.txt"))
    results.fail("b.png", "the file is empty")
    results.add(Result("b.png", "written", "a cat", None, "/x/b.txt"))
    assert browser.get(f"{PROJECT}/runs/caption-1/captioned").data == {
        "lines": [
            {"file": "a.png", "did": "written", "after": "a fox", "why": ""},
            {"file": "b.png", "did": "written", "after": "a cat", "why": ""},
        ],
        "all": 2,
    }


def test_a_run_without_captions_has_none(browser, make_run):
    make_run("caption-2", "caption", {})
    assert browser.get(f"{PROJECT}/runs/caption-2/captioned").data == {"lines": [], "all": 0}
