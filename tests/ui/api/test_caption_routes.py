"""All captions of a folder: searched, counted, previewed, changed by rules, taken back, and changed by others."""

from __future__ import annotations

import json

import pytest

from tests.ui.api.conftest import PROJECT

RUN = f"{PROJECT}/runs/inspect-1"
CAPTIONS = f"{RUN}/captions"
CATS = {"a.png": "cat, red hair, sky", "b.png": "cat, blue_hair", "sub/c.png": "dog on a hill", "d.png": ""}
ADD = [{"kind": "add", "tags": ["new"]}]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "webui" / "cats"


@pytest.fixture
def captioned(make_run, picture, folder):
    """`captioned({"a.png": "a cat"})`: a run that has looked at these pictures."""

    def made(told, /, name="inspect-1", **config):
        run = make_run(name, "inspect", {"folder": str(folder), **config})
        found = []
        for n, (file, caption) in enumerate(told.items()):
            picture(f"webui/cats/{file}")
            if caption:
                (folder / file).with_suffix(".txt").write_text(caption, encoding="utf-8")
            found.append({"n": n, "file": file, "caption": caption, "caption_source": ".txt" if caption else "none"})
        (run.path / "listing.json").write_text(json.dumps({"folder": str(folder), "pictures": found}), encoding="utf-8")
        return run

    return made


def text(folder, name):
    return (folder / name).read_text(encoding="utf-8")


def shown(browser):
    return [picture["caption"] for picture in browser.get(f"{RUN}/pictures").data["pictures"]]


@pytest.mark.parametrize(("query", "files"), [
    ("", ["a.png", "b.png", "sub/c.png", "d.png"]),
    ("cat", ["a.png", "b.png"]),
    ("CAT hair", ["a.png", "b.png"]),
    ("cat and not tag:\"blue hair\"", ["a.png"]),
    ("tag:\"blue hair\" or dog", ["b.png", "sub/c.png"]),
    ("-cat -is:empty", ["sub/c.png"]),
    ("(sky or dog) -(red or hill)", []),
    ("tag:*hair", ["a.png", "b.png"]),
    ("tag:hair", []),
    ("name:sub/", ["sub/c.png"]),
    ("is:empty", ["d.png"]),
    ("tags>=3", ["a.png"]),
    ("tokens=4", ["sub/c.png"]),
    ("re:\"^d.g\"", ["sub/c.png"]),
    ("\"cat, red\"", ["a.png"]),
    ("\"and\"", []),
])  # fmt: skip
def test_a_search_finds_by_words_tags_and_what_binds_them(browser, captioned, query, files):
    captioned(CATS)
    answer = browser.post(f"{CAPTIONS}/search", query=query)
    assert (answer.data["files"], answer.data["total"]) == (files, len(files))


@pytest.mark.parametrize("query", ["(cat", "cat)", "cat or", "not", "is:nothing", "re:(", "and", "(" * 60, "a" * 3000])
def test_a_search_that_means_nothing_is_a_sentence(browser, captioned, query):
    captioned(CATS)
    answer = browser.post(f"{CAPTIONS}/search", query=query)
    assert answer.status == 400 and len(answer.error) > 20


def test_tags_are_counted_however_they_are_written(browser, captioned):
    captioned({"a.png": "Red_Hair, sky", "b.png": "red hair", "c.png": "red hair, red hair, dog"})
    answer = browser.post(f"{CAPTIONS}/tags")
    counted = [(each["tag"], each["pictures"]) for each in answer.data["tags"]]
    assert counted == [("red hair", 3), ("dog", 1), ("sky", 1)]
    assert answer.data["tags"][0]["share"] == 1


def test_tags_are_counted_beside_another_in_a_selection_and_by_their_beginning(browser, captioned):
    captioned({"a.png": "cat, red hair", "b.png": "cat, sky", "c.png": "dog, sky", "d.png": "cat, sky"})
    beside = browser.post(f"{CAPTIONS}/tags", **{"with": "cat"}).data
    assert beside["pictures"] == 3
    assert [(each["tag"], each["pictures"], each["all"]) for each in beside["tags"]] == [
        ("sky", 2, 3), ("red hair", 1, 1)]  # fmt: skip
    chosen = browser.post(f"{CAPTIONS}/tags", files=["a.png", "c.png"], query="dog").data["tags"]
    assert [each["tag"] for each in chosen] == ["dog", "sky"]
    assert [each["tag"] for each in browser.post(f"{CAPTIONS}/tags", begin="ha").data["tags"]] == ["red hair"]


def test_tokens_are_counted_of_texts_and_of_captions(browser, captioned):
    captioned(CATS)
    told = browser.post(f"{CAPTIONS}/tokens", texts=["", "a photo of a cat", "word " * 80]).data
    assert told == {"limit": 75, "tokens": [0, 5, 80]}
    assert browser.post(f"{CAPTIONS}/tokens", files=["sub/c.png"]).data["tokens"] == {"sub/c.png": 4}
    assert browser.post(f"{CAPTIONS}/tokens", texts=[5]).status == 400


def test_words_that_nobody_knows_are_named_with_what_was_meant(browser, captioned):
    captioned({"a.png": "a red flowwer, Zorblax", "b.png": "zorblax, mountians", "c.png": "zorblax, mountians, 2girls"})
    told = browser.post(f"{CAPTIONS}/spelling").data["words"]
    assert [(each["word"], each["suggested"][0], each["files"]) for each in told] == [
        ("mountians", "mountains", ["b.png", "c.png"]), ("flowwer", "flower", ["a.png"])]  # fmt: skip
    one = browser.post(f"{CAPTIONS}/spelling", text="a zorblaxx on the hosue").data["words"]
    assert {each["word"]: each["suggested"][0] for each in one} == {"zorblaxx": "zorblax", "hosue": "house"}


def test_a_preview_shows_the_difference_and_writes_nothing(browser, captioned, folder):
    captioned(CATS)
    answer = browser.post(f"{CAPTIONS}/preview", query="cat", rules=[{"kind": "replace", "pairs": ["cat => dog"]}])
    assert (answer.data["chosen"], answer.data["changed"]) == (2, 2)
    first = answer.data["changes"][0]
    assert (first["file"], first["before"], first["after"]) == ("a.png", CATS["a.png"], "dog, red hair, sky")
    assert first["parts"] == [["gone", "cat"], ["new", "dog"], ["same", ", red hair, sky"]]
    assert {name: text(folder, f"{name}.txt") for name in ("a", "b")} == {"a": CATS["a.png"], "b": CATS["b.png"]}


def test_rules_change_a_selection_as_one_act_that_is_taken_back_and_done_again(browser, captioned, folder):
    captioned(CATS)
    answer = browser.post(f"{CAPTIONS}/apply", files=["a.png", "d.png"], rules=ADD, title="Add new")
    assert answer.data["changed"] == ["a.png", "d.png"] and answer.data["left"] == []
    assert (answer.data["undo"], answer.data["redo"]) == ("Add new", "")
    assert [text(folder, "a.txt"), text(folder, "d.txt")] == ["cat, red hair, sky, new", "new"]
    assert shown(browser) == ["cat, red hair, sky, new", CATS["b.png"], CATS["sub/c.png"], "new"]
    back = browser.post(f"{CAPTIONS}/undo").data
    assert (back["changed"], back["undo"], back["redo"]) == (["a.png", "d.png"], "", "Add new")
    assert text(folder, "a.txt") == CATS["a.png"] and not (folder / "d.txt").exists()
    assert shown(browser) == list(CATS.values())
    assert browser.post(f"{CAPTIONS}/redo").data["changed"] == ["a.png", "d.png"]
    assert text(folder, "d.txt") == "new"
    assert browser.post(f"{CAPTIONS}/redo").status == 409


def test_what_the_gallery_warns_of_is_as_the_captions_are_now(browser, captioned):
    run = captioned({"a.png": "cat", "b.png": "dog"})
    listing = json.loads((run.path / "listing.json").read_text(encoding="utf-8"))
    listing["pictures"][0] |= {"caption": "", "caption_source": "none", "warnings": ["small", "no caption"]}
    (run.path / "listing.json").write_text(json.dumps(listing), encoding="utf-8")

    def warnings():
        return [picture["warnings"] for picture in browser.get(f"{RUN}/pictures").data["pictures"]]

    assert warnings() == [["small", "no caption"], []]
    browser.get(CAPTIONS)
    assert warnings() == [["small"], []]
    browser.post(f"{CAPTIONS}/apply", rules=[{"kind": "add", "tags": [f"word {n}" for n in range(40)]}])
    too_long = "long caption, the model reads only its beginning"
    assert warnings() == [["small", too_long], [too_long]]
    browser.post(f"{CAPTIONS}/undo")
    assert warnings() == [["small"], []]


def test_acts_are_taken_back_one_after_the_other_edits_by_hand_among_them(browser, captioned, folder):
    captioned(CATS)
    browser.post(f"{CAPTIONS}/apply", query="cat", rules=ADD, title="one")
    browser.post(f"{RUN}/caption", n=0, text="by hand")
    browser.post(f"{CAPTIONS}/apply", query="by", rules=ADD, title="two")
    assert text(folder, "a.txt") == "by hand, new"
    titles = [browser.post(f"{CAPTIONS}/undo").data["title"] for _ in range(3)]
    assert titles == ["two", "Caption of a.png", "one"]
    assert [text(folder, "a.txt"), text(folder, "b.txt")] == [CATS["a.png"], CATS["b.png"]]
    assert browser.post(f"{CAPTIONS}/undo").error == "There is nothing left to take back."


def test_a_new_act_ends_what_could_be_done_again(browser, captioned):
    captioned(CATS)
    browser.post(f"{CAPTIONS}/apply", query="cat", rules=ADD, title="one")
    browser.post(f"{CAPTIONS}/undo")
    assert browser.post(f"{CAPTIONS}/apply", query="dog", rules=ADD, title="two").data["redo"] == ""
    assert browser.post(f"{CAPTIONS}/redo").status == 409


def test_the_history_outlives_the_look_at_the_folder(browser, captioned, folder):
    captioned(CATS)
    browser.post(f"{CAPTIONS}/apply", query="dog", rules=ADD)
    captioned({**CATS, "sub/c.png": "dog on a hill, new"}, name="inspect-2")
    assert browser.post(f"{PROJECT}/runs/inspect-2/captions/undo").data["changed"] == ["sub/c.png"]
    assert text(folder, "sub/c.txt") == CATS["sub/c.png"]


def test_what_another_program_wrote_is_noticed_and_counts_at_once(browser, captioned, folder):
    captioned(CATS)
    before = browser.get(CAPTIONS).data
    assert (before["pictures"], before["captioned"], before["outside"]) == (4, 3, [])
    (folder / "a.txt").write_text("bird", encoding="utf-8")
    (folder / "d.txt").write_text("fish", encoding="utf-8")
    after = browser.get(CAPTIONS, after=before["revision"]).data
    assert (after["outside"], after["captioned"]) == (["a.png", "d.png"], 4)
    assert browser.get(CAPTIONS, after=after["revision"]).data["outside"] == []
    assert browser.post(f"{CAPTIONS}/search", query="bird").data["files"] == ["a.png"]
    assert shown(browser)[0] == "bird"


def test_what_another_program_wrote_since_the_preview_is_left_and_named(browser, captioned, folder):
    captioned(CATS)
    seen = browser.post(f"{CAPTIONS}/preview", query="cat", rules=ADD).data["revision"]
    (folder / "a.txt").write_text("cat by another", encoding="utf-8")
    answer = browser.post(f"{CAPTIONS}/apply", query="cat", rules=ADD, revision=seen).data
    assert answer["changed"] == ["b.png"]
    assert answer["left"] == [{"file": "a.png", "why": "it was changed by another program since and left as it is now"}]
    assert text(folder, "a.txt") == "cat by another"
    by_hand = browser.post(f"{RUN}/caption", n=0, text="mine", revision=seen)
    assert by_hand.status == 409 and "changed by another program" in by_hand.error
    assert browser.post(f"{RUN}/caption", n=0, text="mine").status == 200


def test_what_another_program_wrote_since_an_act_is_not_taken_back(browser, captioned, folder):
    captioned(CATS)
    browser.post(f"{CAPTIONS}/apply", query="cat", rules=ADD)
    (folder / "a.txt").write_text("by another", encoding="utf-8")
    back = browser.post(f"{CAPTIONS}/undo").data
    assert (back["changed"], [each["file"] for each in back["left"]]) == (["b.png"], ["a.png"])
    assert text(folder, "a.txt") == "by another"


def test_only_the_line_that_counts_is_changed(browser, captioned, folder):
    captioned({"a.png": "one\ntwo\n"}, captions={"lines": "first"})
    browser.post(f"{CAPTIONS}/apply", rules=ADD)
    assert text(folder, "a.txt") == "one, new\ntwo"


def test_each_line_is_changed_where_any_of_them_counts(browser, captioned, folder):
    captioned({"a.png": "one\ntwo, new\n"}, captions={"lines": "any"})
    browser.post(f"{CAPTIONS}/apply", rules=ADD)
    assert text(folder, "a.txt") == "one, new\ntwo, new"


def test_rules_know_the_pictures_name_and_its_other_caption_file(browser, captioned, folder):
    captioned({"a_b.png": "a cat"})
    (folder / "a_b.caption").write_text("cat, sky", encoding="utf-8")
    browser.post(f"{CAPTIONS}/apply", rules=[{"kind": "merge"}, {"kind": "template", "template": "{name}: {caption}"}])
    assert text(folder, "a_b.txt") == "a b: a cat, cat, sky"
    assert text(folder, "a_b.caption") == "cat, sky"


def test_a_caption_that_no_rule_changes_keeps_its_bytes(browser, captioned, folder):
    captioned({"a.png": "cat,new ,sky", "b.png": "x"})
    answer = browser.post(f"{CAPTIONS}/apply", rules=ADD).data
    assert answer["changed"] == ["b.png"]
    assert text(folder, "a.txt") == "cat,new ,sky"


def test_a_picture_that_is_gone_is_named_and_the_others_are_changed(browser, captioned, folder):
    captioned(CATS)
    (folder / "a.png").unlink()
    answer = browser.post(f"{CAPTIONS}/apply", query="cat", rules=ADD).data
    assert (answer["changed"], [each["file"] for each in answer["left"]]) == (["b.png"], ["a.png"])


def test_a_pattern_that_never_ends_is_stopped_and_nothing_is_written(browser, captioned, folder, monkeypatch):
    monkeypatch.setattr("lib_trainer.images.wording.patterns.MOST_SECONDS", 0.5)
    captioned({"a.png": "a" * 60})
    rules = [{"kind": "pattern", "pattern": "(a+)+b", "into": ""}]
    answer = browser.post(f"{CAPTIONS}/preview", rules=rules)
    assert answer.status == 400 and "was stopped after 0.5 seconds" in answer.error
    assert browser.post(f"{CAPTIONS}/search", query="re:(a+)+b").status == 400
    assert text(folder, "a.txt") == "a" * 60


@pytest.mark.parametrize("rules", [5, [5], [{}], [{"kind": "no"}], [{"kind": "add"}], [{"kind": "add", "tags": "x"}],
                                   [{"kind": "pattern", "pattern": "("}]])  # fmt: skip
def test_what_is_no_rule_is_a_sentence(browser, captioned, rules):
    captioned(CATS)
    for way in ("preview", "apply"):
        answer = browser.post(f"{CAPTIONS}/{way}", rules=rules)
        assert answer.status == 400 and len(answer.error) > 20


def test_the_page_gets_every_rule_with_its_options(browser):
    told = {rule["kind"]: rule for rule in browser.get("/trainer/api/caption-rules").data["rules"]}
    assert told["replace"]["help"] == "Replace tags, words or text."
    assert [option["name"] for option in told["sort"]["options"]] == ["by", "backwards", "keep_first"]


def test_a_guest_reads_and_changes_no_captions_outside_of_the_allowed_folders(guest, captioned, folder, tmp_path):
    run = captioned({"a.png": "cat"})
    assert guest.post(f"{CAPTIONS}/apply", rules=ADD).status == 200
    outside = tmp_path / "outside"
    folder.rename(outside)
    for told, file in ((outside, "a.png"), (tmp_path / "webui", "../outside/a.png")):
        listing = {"folder": str(told), "pictures": [{"file": file, "caption_source": ".txt"}]}
        (run.path / "listing.json").write_text(json.dumps(listing), encoding="utf-8")
        for way in ("search", "preview", "apply", "tags", "tokens", "undo"):
            assert guest.post(f"{CAPTIONS}/{way}", rules=ADD).status == 403, way
    assert text(outside, "a.txt") == "cat, new"
