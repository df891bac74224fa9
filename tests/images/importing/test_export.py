"""Captions as one file, and back again."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from lib_trainer.core.errors import ConfigError, DataError
from lib_trainer.core.events import Notice
from lib_trainer.images.importing.bring_in import bring_in
from lib_trainer.images.importing.export import export
from lib_trainer.images.importing.options import ExportOptions, ImportOptions
from lib_trainer.images.options import CaptionOptions

pytestmark = pytest.mark.engine


@pytest.fixture
def folder(tmp_path, png, fill):
    files = {"a.png": png(1), "a.txt": "1girl, red", "a.caption": "a girl\n in red", "sub/b.png": png(2),
             "sub/b.txt": "größer"}  # fmt: skip
    return fill(tmp_path / "photos", files)


@pytest.fixture
def options(folder):
    return ExportOptions(folder=folder)


def read(result):
    return json.loads(Path(result["file"]).read_text(encoding="utf-8"))


@pytest.mark.option("ExportOptions.folder", "ExportOptions.format", "ExportOptions.output")
def test_kohyas_file_lies_beside_the_folder_with_full_paths(options, run, folder):
    result = export(options, run)
    assert result == {"file": f"{folder}-metadata.json", "pictures": 2, "without": 0}
    assert read(result) == {
        str(folder / "a.png"): {"caption": "1girl, red"}, str(folder / "sub" / "b.png"): {"caption": "größer"}
    }  # fmt: skip


@pytest.mark.option("ExportOptions.keys")
@pytest.mark.parametrize(("keys", "names"), [("relative path", ["a.png", "sub/b.png"]), ("name", ["a", "b"])])
def test_pictures_are_named_as_it_was_asked(options, run, keys, names):
    assert sorted(read(export(replace(options, keys=keys), run))) == names


@pytest.mark.option("ExportOptions.keys")
def test_two_pictures_of_one_name_are_refused_where_it_is_the_key(options, run, folder, png, fill):
    fill(folder, {"sub/a.png": png(3)})
    with pytest.raises(ConfigError, match=r"'keys'.*full path"):
        export(replace(options, keys="name"), run)


@pytest.mark.option("ExportOptions.field")
def test_captions_can_be_called_tags_or_kept_apart(options, run, folder):
    keys = {"keys": "name"}
    assert read(export(replace(options, field="tags", **keys), run))["b"] == {"tags": "größer"}
    (folder.parent / "photos-metadata.json").unlink()
    apart = read(export(replace(options, field="apart", **keys), run))
    assert apart == {"a": {"caption": "a girl in red", "tags": "1girl, red"}, "b": {"tags": "größer"}}


@pytest.mark.option("ExportOptions.captions")
def test_captions_come_from_where_it_was_asked(options, run):
    chosen = replace(options, captions=CaptionOptions(source="prompt", prompt="a fox"), keys="name")
    assert read(export(chosen, run)) == {"a": {"caption": "a fox"}, "b": {"caption": "a fox"}}


@pytest.mark.option("ExportOptions.output")
def test_what_kohyas_file_says_already_of_other_things_stays(options, run, tmp_path):
    file = tmp_path / "meta.json"
    before = {"a": {"caption": "old", "train_resolution": [512, 768]}, "gone": {"tags": "x"}}
    file.write_text(json.dumps(before), encoding="utf-8")
    result = export(replace(options, output=file, keys="name"), run)
    assert read(result) == {
        "a": {"caption": "1girl, red", "train_resolution": [512, 768]}, "gone": {"tags": "x"},
        "b": {"caption": "größer"},
    }  # fmt: skip


@pytest.mark.parametrize("content", ['{"a": 1}', "[]", "{", "{}"])
def test_a_file_that_is_no_such_metadata_is_not_overwritten(options, run, tmp_path, content):
    file = tmp_path / "mine.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=r"mine\.json.*not overwritten"):
        export(replace(options, output=file), run)
    assert file.read_text(encoding="utf-8") == content


@pytest.mark.option("ExportOptions.format")
def test_hugging_faces_tables_lie_in_the_folder(options, run, folder):
    lines = export(replace(options, format="jsonl"), run)
    assert lines["file"] == str(folder / "metadata.jsonl")
    rows = [json.loads(line) for line in (folder / "metadata.jsonl").read_text(encoding="utf-8").splitlines()]
    wanted = [("a.png", "1girl, red"), ("sub/b.png", "größer")]
    assert [(row["file_name"], row["text"]) for row in rows] == wanted
    export(replace(options, format="csv"), run)
    with (folder / "metadata.csv").open(encoding="utf-8", newline="") as file:
        assert [(row["file_name"], row["text"]) for row in csv.DictReader(file)] == wanted


@pytest.mark.option("ExportOptions.output")
@pytest.mark.parametrize("name", ["other/metadata.jsonl", "photos/captions.jsonl"])
def test_a_table_that_hugging_face_would_not_find_is_refused(options, run, tmp_path, name):
    with pytest.raises(ConfigError, match="'output'"):
        export(replace(options, format="jsonl", output=tmp_path / name), run)


def test_a_table_above_the_folder_names_the_way_down(options, run, tmp_path):
    export(replace(options, format="jsonl", output=tmp_path / "metadata.jsonl"), run)
    assert '"photos/sub/b.png"' in (tmp_path / "metadata.jsonl").read_text(encoding="utf-8")


def test_pictures_without_a_caption_are_counted_and_named(options, run, folder, png, fill):
    fill(folder, {"c.png": png(5)})
    assert export(options, run)["without"] == 1
    (notice,) = [event.message for event in run.events_after(0)[0] if isinstance(event, Notice)
                 and event.message.startswith("1 picture")]  # fmt: skip
    assert "c.png" in notice


@pytest.mark.parametrize("keys", ["full path", "relative path", "name"])
def test_kohyas_metadata_comes_back_as_it_went(tmp_path, options, run, folder, png, fill, keys):
    """Written, read into a new folder, written from there: the same captions and tags of every picture."""
    odd = {"🦊 'x'.png": png(3), "🦊 'x'.txt": 'a "fox", \\ größer', "v1.5.png": png(4), "v1.5.caption": "dots"}
    fill(folder, odd)
    first = read(export(replace(options, field="apart", keys=keys), run))
    for file in [*folder.rglob("*.txt"), *folder.rglob("*.caption")]:
        file.unlink()
    out = tmp_path / "out"
    given = (folder, tmp_path / "photos-metadata.json")
    bring_in(ImportOptions(source=given, output=out, tags="apart"), run)
    again = read(export(replace(options, folder=out, field="apart", keys=keys, output=tmp_path / "2.json"), run))
    assert {key.replace(str(out), str(folder)): told for key, told in again.items()} == first
    assert len(first) == 4


@pytest.mark.option("ImportOptions.tags")
@pytest.mark.parametrize(
    ("tags", "files"),
    [
        ("after", {"a.txt": "a cat, 1cat", "b.txt": "only tags", "c.txt": "only words"}),
        ("before", {"a.txt": "1cat, a cat", "b.txt": "only tags", "c.txt": "only words"}),
        ("leave", {"a.txt": "a cat", "c.txt": "only words"}),
        ("instead", {"a.txt": "1cat", "b.txt": "only tags", "c.txt": "only words"}),
        ("apart", {"a.txt": "1cat", "a.caption": "a cat", "b.txt": "only tags", "c.caption": "only words"}),
    ],
)
def test_caption_and_tags_of_metadata_are_put_together_as_it_was_asked(tmp_path, run, png, fill, contents, tags, files):
    folder = fill(tmp_path / "photos", {f"{name}.png": png(number) for number, name in enumerate("abc")})
    table = {"a": {"caption": "a cat", "tags": "1cat"}, "b": {"tags": "only tags"}, "c": {"caption": "only words"}}
    (tmp_path / "meta.json").write_text(json.dumps(table), encoding="utf-8")
    out = tmp_path / "out"
    bring_in(ImportOptions(source=(folder, tmp_path / "meta.json"), output=out, tags=tags), run)
    found = {name: text.decode() for name, text in contents(out).items() if not name.endswith(".png")}
    assert found == files


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("/home/somebody/train/sub/b.png", None), ("C:\\train\\b.png", None), ("b", None), ("sub/b", None),
        ("a", "any of several"), ("nowhere", "not there"),
    ],
)  # fmt: skip
def test_kohyas_keys_find_their_pictures(tmp_path, run, png, fill, told, key, said):
    """Full paths of another computer go by their last part; what may be one of several is not guessed."""
    folder = fill(tmp_path / "photos", {"sub/b.png": png(1), "x/a.png": png(2), "y/a.png": png(3)})
    (tmp_path / "meta.json").write_text(json.dumps({key: {"caption": "found"}}), encoding="utf-8")
    bring_in(ImportOptions(source=(folder, tmp_path / "meta.json"), output=tmp_path / "out"), run)
    texts = [path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.txt")]
    assert texts == ([] if said else ["sub/b.txt"])
    assert [said in reason for reason in told().values()] == ([True] if said else [])


def test_a_kohya_file_alone_brings_the_pictures_of_its_folder_and_wins_over_caption_files(tmp_path, run, png, fill):
    table = json.dumps({"a": {"caption": "new"}})
    folder = fill(tmp_path / "photos", {"a.png": png(), "a.txt": "old", "meta_cap.json": table})
    out = tmp_path / "out"
    bring_in(ImportOptions(source=(folder / "meta_cap.json",), output=out), run)
    assert (out / "a.txt").read_text(encoding="utf-8") == "new"


def test_a_single_kohya_file_inside_a_folder_is_found_and_of_several_none_is_guessed(tmp_path, run, png, fill, told):
    table = json.dumps({"a": {"caption": "from kohya"}})
    folder = fill(tmp_path / "photos", {"a.png": png(), "meta_cap.json": table, "other.json": "[1]"})
    bring_in(ImportOptions(source=(folder,), output=tmp_path / "one"), run)
    assert (tmp_path / "one" / "a.txt").read_text(encoding="utf-8") == "from kohya"
    fill(folder, {"meta_lat.json": table})
    bring_in(ImportOptions(source=(folder,), output=tmp_path / "two"), run)
    assert not (tmp_path / "two" / "a.txt").exists()
    assert "several files look like kohya's" in told()["meta_cap.json"]


@pytest.mark.parametrize("content", ["{", "[]", '{"a": 1}', '{"a": {"b": 2}}', "[" * 100_000])
def test_a_json_file_that_is_no_such_metadata_is_refused_by_name(tmp_path, run, png, fill, content):
    folder = fill(tmp_path / "photos", {"a.png": png()})
    (tmp_path / "meta.json").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=r"meta\.json"):
        bring_in(ImportOptions(source=(folder, tmp_path / "meta.json"), output=tmp_path / "out"), run)
