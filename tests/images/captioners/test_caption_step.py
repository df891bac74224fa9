"""The step `caption`: its files are right, nothing that was there is lost, and it can be stopped and begun again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lib_trainer.core.errors import ConfigError, DataError
from lib_trainer.core.events import Notice, Progress, Table
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.images.captioners.nothing import Nothing
from lib_trainer.images.captioners.options import CaptioningOptions, WordingOptions
from lib_trainer.images.captioners.tag_options import TagOptions
from lib_trainer.images.captioners.wd14 import Wd14

pytestmark = pytest.mark.engine
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from PIL import Image  # noqa: E402

from lib_trainer.images.captioners import caption as step  # noqa: E402
from lib_trainer.images.captioners.caption import caption  # noqa: E402
from lib_trainer.images.captioners.tag_words import words_of  # noqa: E402

ROOT = Path(__file__).parents[3]
NAMES = ["a.png", "b.png", "c.png", "in/d.png", "in/e.png"]


@pytest.fixture
def run(tmp_path):
    directory = RunDirectory(tmp_path / "run")
    directory.create("caption", {})
    return directory


@pytest.fixture
def captioned(photos, tagger, run):
    """`captioned(existing="append")`: the step's result."""

    def made(**options):
        return caption(options_of(photos, tagger, **options), run)

    return made


def options_of(photos, folder_of_tagger, **options):
    told = {"tagger": Wd14(place=folder_of_tagger), "device": "cpu", "batch_size": 2, **options}
    return CaptioningOptions(folder=photos, **told)


def lines(run):
    return [json.loads(line) for line in (run.path / "captions.jsonl").read_text(encoding="utf-8").splitlines()]


def texts(photos):
    return {
        path.relative_to(photos).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(photos.rglob("*"))
        if path.suffix in (".txt", ".caption")
    }


def words(photos, tagger, name, **options):
    loaded = Wd14(place=tagger).load("cpu")
    (seen,) = loaded.tag([loaded.prepare(Image.open(photos / name).convert("RGB"))])
    return ", ".join(words_of(seen, TagOptions(**options)))


def warnings(run):
    return [event.message for event in run.events_after(0)[0] if isinstance(event, Notice) and event.level == "warning"]


@pytest.mark.option("CaptioningOptions.folder", "CaptioningOptions.tagger", "CaptioningOptions.tags")
def test_each_picture_gets_the_tags_that_the_tagger_sees_in_it(captioned, photos, tagger, run):
    result = captioned(tags=TagOptions(order="list"))
    expected = {name.replace(".png", ".txt"): words(photos, tagger, name, order="list") for name in NAMES}
    assert texts(photos) == expected
    assert len(set(expected.values())) > 1
    assert result == {
        "folder": str(photos), "written": 5, "shown": 0, "kept": 0, "failed": 0, "results": "captions.jsonl",
    }  # fmt: skip
    assert [line["file"] for line in lines(run)] == NAMES
    progress = [event for event in run.events_after(0)[0] if isinstance(event, Progress)]
    assert (progress[-1].done, progress[-1].total) == (5, 5)
    assert any(isinstance(event, Table) and event.rows[0][1] == "5" for event in run.events_after(0)[0])


@pytest.mark.option("CaptioningOptions.existing")
def test_captions_that_are_there_are_skipped_replaced_or_added_to(photos, tagger, tmp_path):
    new = words(photos, tagger, "a.png")
    outcomes = {}
    for number, how in enumerate(("skip", "overwrite", "append", "prepend")):
        (photos / "a.txt").write_text("my own words", encoding="utf-8")
        run = RunDirectory(tmp_path / f"run{number}")
        run.create("caption", {})
        result = caption(options_of(photos, tagger, existing=how, only=("a.png",)), run)
        outcomes[how] = (photos / "a.txt").read_text(encoding="utf-8")
        assert (result["written"], result["kept"]) == ((0, 1) if how == "skip" else (1, 0))
        if how != "skip":
            assert lines(run)[-1]["before"] == "my own words"
    assert outcomes == {
        "skip": "my own words", "overwrite": new, "append": f"my own words, {new}", "prepend": f"{new}, my own words",
    }  # fmt: skip


def test_a_caption_from_metadata_counts_as_one_and_an_empty_file_does_not(captioned, photos, tagger):
    (photos / "metadata.jsonl").write_text('{"file_name": "a.png", "text": "a listed one"}\n', encoding="utf-8")
    (photos / "b.txt").write_text(" \n", encoding="utf-8")
    assert captioned()["kept"] == 1
    assert not (photos / "a.txt").exists()
    assert (photos / "b.txt").read_text(encoding="utf-8") == words(photos, tagger, "b.png")


def test_a_listed_caption_is_added_to_in_a_file_of_its_own(captioned, photos, tagger):
    (photos / "metadata.jsonl").write_text('{"file_name": "a.png", "text": "a listed one"}\n', encoding="utf-8")
    captioned(existing="append")
    assert (photos / "a.txt").read_text(encoding="utf-8") == f"a listed one, {words(photos, tagger, 'a.png')}"


@pytest.mark.option("CaptioningOptions.extension")
def test_new_files_have_the_wished_ending_and_old_ones_keep_theirs(captioned, photos):
    (photos / "a.txt").write_text("old", encoding="utf-8")
    captioned(extension=".caption", existing="overwrite")
    assert list(texts(photos)) == ["a.txt", "b.caption", "c.caption", "in/d.caption", "in/e.caption"]


@pytest.mark.option("CaptioningOptions.only")
def test_only_the_chosen_pictures_are_captioned(captioned, photos):
    assert captioned(only=("in/d.png", "b.png"))["written"] == 2
    assert list(texts(photos)) == ["b.txt", "in/d.txt"]
    with pytest.raises(DataError, match=r"no picture 'gone\.png'"):
        captioned(only=("gone.png",))


@pytest.mark.option("CaptioningOptions.dry_run")
def test_a_dry_run_shows_captions_and_writes_none(captioned, photos, tagger, run):
    assert captioned(dry_run=True)["shown"] == 5
    assert texts(photos) == {}
    assert lines(run)[0]["after"] == words(photos, tagger, "a.png")


@pytest.mark.option("CaptioningOptions.background")
def test_transparent_pictures_are_seen_on_the_background(photos, tagger, tmp_path):
    clear = Image.effect_noise((40, 40), 90).convert("RGB")
    clear.putalpha(Image.new("L", (40, 40), 0))
    clear.save(photos / "a.png")
    shown = []
    for number, background in enumerate(("white", "black")):
        run = RunDirectory(tmp_path / f"run{number}")
        run.create("caption", {})
        everything = Wd14(place=tagger, general=0.0)
        told = {"only": ("a.png",), "dry_run": True, "background": background, "tagger": everything}
        caption(options_of(photos, tagger, **told), run)
        shown.append(lines(run)[0]["after"])
    assert shown[0] != shown[1]


@pytest.mark.option("CaptioningOptions.batch_size")
def test_the_tagger_sees_as_many_pictures_at_once_as_told(captioned, monkeypatch):
    from lib_trainer.images.captioners.wd14 import LoadedWd14

    seen = []
    tag = LoadedWd14.tag
    monkeypatch.setattr(LoadedWd14, "tag", lambda self, prepared: seen.append(len(prepared)) or tag(self, prepared))
    captioned(batch_size=3)
    assert seen == [3, 2]


@pytest.mark.option("CaptioningOptions.device")
def test_a_graphics_card_that_is_not_there_is_refused(captioned, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="'device' is 'cuda', but there is no graphics card"):
        captioned(device="cuda")
    assert captioned(device="auto")["written"] == 5


@pytest.mark.option("CaptioningOptions.wording")
def test_a_trigger_comes_first_in_every_caption(captioned, photos):
    captioned(wording=WordingOptions(trigger="ohwx"))
    assert all(text.startswith("ohwx, ") for text in texts(photos).values())


@pytest.mark.option("CaptioningOptions.describer")
def test_somebody_must_say_something(captioned, photos):
    with pytest.raises(ConfigError, match="both 'none'"):
        captioned(tagger=Nothing(), describer=Nothing())
    captioned(tagger=Nothing(), describer=Nothing(), wording=WordingOptions(template="photo {file}"))
    assert texts(photos)["a.txt"] == "photo a"


def test_damaged_pictures_are_named_and_the_others_captioned(captioned, photos, run):
    (photos / "b.png").write_bytes((photos / "b.png").read_bytes()[:200])
    (photos / "c.png").write_bytes(b"")
    result = captioned()
    assert (result["written"], result["failed"]) == (3, 2)
    assert list(texts(photos)) == ["a.txt", "in/d.txt", "in/e.txt"]
    assert any("c.png has no new caption: the file is empty." in said for said in warnings(run))


def test_what_can_not_be_read_is_left_alone(captioned, photos, run):
    unreadable = b"\xff\xfe\x00\xd8"  # UTF-16 by its mark, with half a character in it
    (photos / "a.txt").write_bytes(unreadable)
    assert captioned(existing="append")["failed"] == 1
    assert (photos / "a.txt").read_bytes() == unreadable
    assert any("a.png has no new caption: what a.txt holds can't be read" in said for said in warnings(run))


def test_of_two_pictures_that_share_a_caption_file_the_first_has_it(captioned, photos, tagger, run):
    Image.new("RGB", (30, 30), "blue").save(photos / "a.jpg")
    result = captioned(existing="overwrite")
    assert (result["written"], result["failed"]) == (5, 1)
    assert any("shares its caption file a.txt with a.jpg" in said for said in warnings(run))


def test_a_folder_that_can_not_be_written_is_told_and_the_rest_goes_on(captioned, photos, run, monkeypatch):
    put = step.put

    def refuse(file, text):
        if file.parent.name == "in":
            raise PermissionError(13, "Permission denied")
        put(file, text)

    monkeypatch.setattr(step, "put", refuse)
    result = captioned()
    assert (result["written"], result["failed"]) == (3, 2)
    said = "in/d.png has no new caption: d.txt can't be written: Permission denied."
    assert said in warnings(run)


def test_asked_to_stop_it_ends_and_begun_again_it_goes_on(photos, tagger, run, monkeypatch):
    options = options_of(photos, tagger, batch_size=1, existing="overwrite")
    put = step.put
    written = []

    def stop_after_two(file, text):
        put(file, text)
        written.append(file.name)
        if len(written) == 2:
            run.request("stop")

    monkeypatch.setattr(step, "put", stop_after_two)
    assert caption(options, run)["written"] == 2
    (photos / "a.txt").write_text("changed by hand meanwhile", encoding="utf-8")
    run.take_request("stop")
    assert caption(options, run)["written"] == 5
    assert written == ["a.txt", "b.txt", "c.txt", "d.txt", "e.txt"]
    assert (photos / "a.txt").read_text(encoding="utf-8") == "changed by hand meanwhile"


def test_a_caption_that_was_noted_but_not_written_is_written_by_the_next_engine(photos, tagger, run, monkeypatch):
    (photos / "a.txt").write_text("old", encoding="utf-8")
    options = options_of(photos, tagger, batch_size=1, existing="append")

    def die(file, text):
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(step, "put", die)
        with pytest.raises(KeyboardInterrupt):
            caption(options, run)
    assert texts(photos) == {"a.txt": "old"}
    caption(options, run)
    assert (photos / "a.txt").read_text(encoding="utf-8") == f"old, {words(photos, tagger, 'a.png')}"


def test_the_real_worker_captions_a_folder(photos, tagger, tmp_path):
    run = RunDirectory(tmp_path / "told")
    run.create("caption", {"folder": str(photos), "tagger": {"type": "wd14", "place": str(tagger)}, "device": "cpu"})
    command = [sys.executable, "-m", "lib_trainer.worker", str(run.path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert run.events_after(0)[0][-1].result["written"] == 5
    assert len(texts(photos)) == 5
