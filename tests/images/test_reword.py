"""The step `reword`: what would change is shown, what is written can be taken back, nothing else is touched."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lib_trainer.core.errors import ConfigError, DataError
from lib_trainer.core.events import Notice, Table
from lib_trainer.images.options import CaptionOptions
from lib_trainer.images.wording.options import RewordOptions

pytestmark = pytest.mark.engine
pytest.importorskip("PIL")

from lib_trainer.core.run_directory import RunDirectory  # noqa: E402
from lib_trainer.images.reword import reword  # noqa: E402

CATS = {"a": "a_cat, red_hair", "b": "dog", "sub/c": "cat, cat", "d": None}


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "cats"
    for name, caption in CATS.items():
        path = made / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        if caption is not None:
            path.with_suffix(".txt").write_text(caption, encoding="utf-8")
    return made


@pytest.fixture
def reworded(folder, tmp_path):
    """`reworded(rules=("dedupe",))`: the result, and what was told; each in a run of its own."""

    def done(**options):
        run = RunDirectory(tmp_path / f"run-{len(list(tmp_path.iterdir()))}")
        run.path.mkdir()
        result = reword(RewordOptions(folder=folder, **options), run)
        return result, run

    return done


def texts(folder):
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in folder.rglob("*.txt")}


def events(run, kind):
    return [event for event in run.events_after(0)[0] if isinstance(event, kind)]


UNTOUCHED = {"a.txt": "a_cat, red_hair", "b.txt": "dog", "sub/c.txt": "cat, cat"}


@pytest.mark.option("RewordOptions.folder", "RewordOptions.rules")
def test_without_write_differences_are_shown_and_nothing_is_written(reworded, folder):
    result, run = reworded(rules=("underscores", '{"kind": "dedupe"}'))
    assert result == {"pictures": 4, "changed": 2, "written": 0, "left": 0}
    (table,) = events(run, Table)
    assert table.rows == [["a.png", "a_cat, red_hair", "a cat, red hair"], ["sub/c.png", "cat, cat", "cat"]]
    assert "Add --write" in events(run, Notice)[0].message
    lines = (run.path / "differences.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[1]) == {"file": "sub/c.png", "before": "cat, cat", "after": "cat"}
    assert texts(folder) == UNTOUCHED


@pytest.mark.option("RewordOptions.write", "RewordOptions.undo")
def test_what_was_written_is_taken_back_to_the_byte(reworded, folder):
    (folder / "b.txt").write_bytes("frühe_Katze".encode("cp1252"))
    result, _ = reworded(rules=("underscores", '{"kind": "add", "tags": ["new"]}'), write=True)
    assert (result["changed"], result["written"], result["left"]) == (4, 4, 0)
    assert texts(folder) == {"a.txt": "a cat, red hair, new", "b.txt": "frühe Katze, new", "d.txt": "new",
                             "sub/c.txt": "cat, cat, new"}  # fmt: skip
    (folder / "a.txt").write_text("by another", encoding="utf-8")
    back, run = reworded(undo=True)
    assert back == {"taken_back": 3, "left": 1}
    assert any("changed by another program" in each.message for each in events(run, Notice))
    assert (folder / "a.txt").read_text(encoding="utf-8") == "by another"
    assert (folder / "b.txt").read_bytes() == "frühe_Katze".encode("cp1252") and not (folder / "d.txt").exists()
    with pytest.raises(DataError, match="No change of the captions"):
        reworded(undo=True)


@pytest.mark.option("RewordOptions.rules_file")
def test_the_rules_of_a_file_come_first(reworded, tmp_path):
    file = tmp_path / "rules.json"
    file.write_text('[{"kind": "replace", "pairs": ["dog => cat, cat"]}]', encoding="utf-8")
    _, run = reworded(rules_file=file, rules=("dedupe",))
    assert ["b.png", "dog", "cat"] in events(run, Table)[0].rows
    file.write_text("{", encoding="utf-8")
    with pytest.raises(ConfigError, match="which can't be read"):
        reworded(rules_file=file)


@pytest.mark.parametrize(("options", "said"), [
    ({}, "'rules' is empty"),
    ({"rules": ("under",)}, "must be one of"),
    ({"rules": ("{",)}, "is no valid table"),
    ({"rules": ("dedupe",), "captions": CaptionOptions(source="file name")}, "only captions in files"),
])  # fmt: skip
def test_what_can_not_be_done_is_a_sentence(reworded, options, said):
    with pytest.raises(ConfigError, match=said):
        reworded(**options)


def test_a_caption_file_in_the_way_is_named_and_the_others_are_written(reworded, folder):
    (folder / "d.txt").mkdir()
    result, run = reworded(rules=('{"kind": "add", "tags": ["new"]}',), write=True)
    assert (result["changed"], result["written"], result["left"]) == (4, 3, 1)
    assert any(str(folder / "d.txt") in each.message for each in events(run, Notice))
    assert texts_of_files(folder)["b.txt"] == "dog, new"


def texts_of_files(folder):
    return {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.txt") if path.is_file()}


def test_a_run_that_is_asked_to_stop_writes_nothing(folder, tmp_path):
    run = RunDirectory(tmp_path / "run")
    run.path.mkdir()
    run.request("stop")
    assert reword(RewordOptions(folder=folder, rules=("underscores",), write=True), run) == {}
    assert texts(folder) == UNTOUCHED


def test_the_engines_worker_knows_the_step(folder, tmp_path):
    run = RunDirectory(tmp_path / "run")
    run.create("reword", {"folder": str(folder), "rules": ["underscores"], "write": True})
    command = [sys.executable, "-m", "lib_trainer.worker", str(run.path)]
    subprocess.run(command, capture_output=True, check=True, cwd=Path(__file__).parents[2], timeout=60)
    assert texts(folder)["a.txt"] == "a cat, red hair"
