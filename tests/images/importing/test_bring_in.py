"""Bringing pictures in from folders, archives and tables."""

import json
import stat
import zipfile

import pytest

from lib_trainer.core.errors import ConfigError, DataError
from lib_trainer.core.events import Saved
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.images.importing.options import ImportOptions

pytestmark = pytest.mark.engine
pytest.importorskip("PIL")

from lib_trainer.images.importing.bring_in import bring_in  # noqa: E402


@pytest.fixture
def bring(tmp_path, run):
    """`bring(source, ...)`: the result and the folder's files."""

    def made(*sources, **options):
        return bring_in(ImportOptions(source=sources, output=tmp_path / "out", **options), run)

    return made


@pytest.fixture
def out(tmp_path, contents):
    return lambda: contents(tmp_path / "out")


@pytest.mark.option("ImportOptions.source", "ImportOptions.output")
def test_a_folder_comes_with_captions_and_side_files_and_stays_as_it_is(tmp_path, bring, out, png, fill, contents):
    files = {
        "10_fox/a.png": png(1), "10_fox/a.txt": "a fox", "b.jpg": png(2, kind="JPEG"), "b.caption": "ein Füchslein\n",
        "10_fox/multiply.txt": "2", "b.yaml": "multiply: 3", "readme.md": "no", ".hidden/x.png": png(9),
    }  # fmt: skip
    folder = fill(tmp_path / "photos", files)
    before = contents(folder)
    result = bring(folder)
    assert {name: result[name] for name in ("pictures", "made", "kept", "same", "left")} == {
        "pictures": 2, "made": 2, "kept": 0, "same": 0, "left": 0
    }  # fmt: skip
    wanted = {name: content for name, content in before.items() if name not in ("readme.md", ".hidden/x.png")}
    assert out() == wanted
    assert contents(folder) == before


@pytest.mark.option("ImportOptions.output")
def test_without_an_output_the_pictures_lie_beside_the_first_source(tmp_path, run, png, fill):
    folder = fill(tmp_path / "photos", {"a.png": png()})
    assert bring_in(ImportOptions(source=(folder,)), run)["folder"] == str(tmp_path / "photos-imported")
    assert (tmp_path / "photos-imported" / "a.png").read_bytes() == png()


@pytest.mark.option("ImportOptions.source")
def test_several_sources_become_one_folder_and_names_that_are_taken_are_changed(
    tmp_path, bring, out, told, png, fill, pack
):
    one = fill(tmp_path / "one", {"a.png": png(1), "a.txt": "one"})
    two = pack(tmp_path / "two.zip", {"A.png": png(2), "A.txt": "two", "b.png": png(3)})
    bring(one, two, tmp_path / "one" / "a.png")
    assert out() == {"a.png": png(1), "a.txt": b"one", "A-2.png": png(2), "A-2.txt": b"two", "b.png": png(3)}
    assert told() == {"A.png": "it is called A-2.png: its name was taken, or can't be on every disk"}


@pytest.mark.option("ImportOptions.duplicates")
@pytest.mark.parametrize(
    ("way", "names"), [("skip", ["a.png", "a.txt"]), ("keep", ["a.png", "a.txt", "b.png", "b.txt"])]
)
def test_the_same_file_twice_is_left_out_unless_told_otherwise(tmp_path, bring, out, told, png, fill, way, names):
    folder = fill(tmp_path / "photos", {"a.png": png(), "a.txt": "one", "b.png": png(), "b.txt": "two"})
    result = bring(folder, duplicates=way)
    assert sorted(out()) == names
    assert result["same"] == (way == "skip")
    if way == "skip":
        assert told() == {"b.png": "the same file as a.png; its caption says something else"}


@pytest.mark.parametrize("way", ["skip", "keep"])
def test_a_second_import_of_the_same_copies_nothing_and_mends_what_is_missing(tmp_path, bring, out, png, fill, way):
    files = {"a.png": png(1), "a.jpg": png(2, kind="JPEG"), "a.txt": "one", "sub/b.png": png(1 if way == "keep" else 3)}
    folder = fill(tmp_path / "photos", files)
    bring(folder, duplicates=way)
    first = out()
    assert len([name for name in first if not name.endswith(".txt")]) == 3
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.*g")}
    (tmp_path / "out" / "a.txt").unlink()
    result = bring(folder, duplicates=way)
    assert (result["made"], result["kept"]) == (0, 3)
    assert out() == first
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_a_caption_that_somebody_changed_stays_and_is_named(tmp_path, bring, out, told, png, fill):
    folder = fill(tmp_path / "photos", {"a.png": png(), "a.txt": "one"})
    bring(folder)
    (tmp_path / "out" / "a.txt").write_text("by hand", encoding="utf-8")
    bring(folder)
    assert out()["a.txt"] == b"by hand"
    assert told() == {"a.png": "another caption lies beside a.png already, which stays"}


def test_what_lies_in_the_output_already_is_never_overwritten(tmp_path, bring, out, png, fill):
    fill(tmp_path / "out", {"a.png": png(5), "notes.md": "mine"})
    bring(fill(tmp_path / "photos", {"a.png": png(6)}))
    assert out() == {"a.png": png(5), "a-2.png": png(6), "notes.md": b"mine"}


def test_bad_pictures_are_counted_and_named_and_the_rest_comes(tmp_path, bring, out, told, png, fill):
    bad = {"cut.png": png(1, (64, 64))[:100], "empty.jpg": b"", "page.webp": b"<!DOCTYPE html><p>no", "a.heic": b"x"}
    result = bring(fill(tmp_path / "photos", {**bad, "good.png": png(3)}))
    assert list(out()) == ["good.png"]
    assert set(told()) == set(bad)
    assert told()["empty.jpg"] == "the file is empty"
    assert result["left"] == 4
    report = json.loads((tmp_path / "run" / result["report"]).read_text(encoding="utf-8"))
    assert {left["name"] for left in report["left"]} == set(bad)


def test_names_that_not_every_disk_takes_are_changed_and_told(tmp_path, bring, out, told, png, pack):
    long = "x" * 250 + ".png"
    names = ['a:b?"c".png', "con.png", "end. .png", "🦊 'fox'.png", long, f"{'d' * 150}/{'e' * 150}.png"]
    bring(pack(tmp_path / "in.zip", {name: png(number) for number, name in enumerate(names)}))
    made = sorted(out())
    assert "🦊 'fox'.png" in made and "a_b__c_.png" in made and "_con.png" in made
    assert all(len(part.encode()) <= 200 for name in made for part in name.split("/"))
    assert all(len(name) <= 200 for name in made)
    assert len(made) == 6
    assert set(told()) == set(names) - {"🦊 'fox'.png", "end. .png"}


@pytest.mark.option("ImportOptions.most_unpacked")
def test_an_archive_that_unpacks_to_too_much_gives_only_so_much(tmp_path, bring, out, told, png, pack):
    big = png(1, (700, 700), "BMP")  # 1.47 MB, of which some kB are left in the archive
    archive = pack(tmp_path / "in.zip", {"a.bmp": big, "b.bmp": big + b" ", "c.bmp": big + b"  "})
    bring(archive, most_unpacked=0.003)
    assert list(out()) == ["a.bmp", "b.bmp"]
    assert "most_unpacked" in told()["c.bmp"]


def test_nothing_leaves_an_archive_for_another_place(tmp_path, bring, out, told, png, pack, contents):
    link = zipfile.ZipInfo("link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    names = ["../up.png", "sub/../../up.png", "/root.png", "C:\\windows.png", "..\\back.png"]
    before = set(tmp_path.parent.iterdir())
    bring(pack(tmp_path / "in.zip", [*((name, png()) for name in names), (link, "/etc/hostname"), ("ok.png", png(2))]))
    assert list(out()) == ["ok.png"]
    assert set(told().values()) == {
        "its path leads out of the archive", "it is a link, and links in archives are not followed"
    }  # fmt: skip
    assert len(told()) == 6
    assert set(tmp_path.parent.iterdir()) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.zip", "out", "run"]


def test_names_in_archives_are_read_as_they_were_meant(tmp_path, bring, out, png, pack):
    archive = pack(tmp_path / "in.zip", {"aaaaa.png": png(1), "s\\b.png": png(2)})
    archive.write_bytes(archive.read_bytes().replace(b"aaaaa.png", "zöä.png".encode()))  # no flag says UTF-8
    bring(archive)
    assert sorted(out()) == ["s/b.png", "zöä.png"]


def test_damage_in_an_archive_is_told_of_the_file_that_has_it(tmp_path, bring, out, told, png, pack):
    archive = pack(tmp_path / "in.zip", {"a.png": png(1, (99, 99)), "b.png": png(2, (99, 99))})
    data = bytearray(archive.read_bytes())
    data[60] ^= 255
    archive.write_bytes(data)
    bring(archive, tmp_path / "in.zip")
    assert list(out()) == ["b.png"]
    assert "damaged in the archive" in told()["a.png"]


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04" + bytes(100)])
def test_what_is_no_archive_is_refused_by_name(tmp_path, bring, content):
    (tmp_path / "in.zip").write_bytes(content)
    with pytest.raises(DataError, match=r"in\.zip is no whole zip archive"):
        bring(tmp_path / "in.zip")
    assert not (tmp_path / "out").exists()


def test_a_damaged_archive_inside_a_folder_does_not_end_the_rest(tmp_path, bring, out, told, png, fill, pack):
    folder = fill(tmp_path / "photos", {"a.png": png(1), "bad.zip": b"no"})
    pack(folder / "good.zip", {"b.png": png(2), "inner.zip": b"PK"})
    bring(folder)
    assert list(out()) == ["a.png", "b.png"]
    assert "no whole zip" in told()["bad.zip"]
    assert "inside an archive" in told()["inner.zip"]


def test_captions_that_no_program_could_read_are_mended_or_left_and_named(tmp_path, bring, out, told, png, fill):
    files = {
        "zero.txt": b"a\0fox", "long.txt": b"x" * 1_000_000, "wide.txt": "größer".encode("cp1252"),
        "mark.txt": b"\xef\xbb\xbfa fox", "none.txt": b"\x81\x8d\xff",
    }  # fmt: skip
    pictures = {f"{name[:-4]}.png": png(number) for number, name in enumerate(files)}
    bring(fill(tmp_path / "photos", {**files, **pictures}))
    texts = {name: content for name, content in out().items() if name.endswith(".txt")}
    assert texts == {"zero.txt": b"afox", "wide.txt": "größer".encode(), "mark.txt": b"a fox"}
    assert "NUL" in told()["zero.png"]
    assert "longer than any caption" in told()["long.txt"]
    assert "cp1252" in told()["wide.txt"]
    assert "known encoding" in told()["none.txt"]


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_hugging_faces_tables_give_captions_wherever_they_lie(tmp_path, bring, out, told, png, fill, ending):
    rows = [{"file_name": "a.png", "text": "a fox, red"}, {"file_name": "../up.png", "text": "outside"},
            {"file_name": "gone.png", "text": "nothing"}]  # fmt: skip
    folder = fill(tmp_path / "photos", {"train/a.png": png(1), "b.png": png(2)})
    fill(tmp_path, {"up.png": png(3)})
    write_table(folder / "train" / f"metadata.{ending}", rows)
    bring(folder)
    assert out() == {"b.png": png(2), "train/a.png": png(1), "train/a.txt": b"a fox, red"}
    assert sorted(reason for reason in told().values()) == [
        "../up.png: that picture is not there", "gone.png: that picture is not there"
    ]  # fmt: skip


def write_table(file, rows):
    if file.suffix == ".jsonl":
        file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    elif file.suffix == ".csv":
        lines = [",".join(rows[0]), *(",".join(f'"{value}"' for value in row.values()) for row in rows)]
        file.write_text("\n".join(lines), encoding="utf-8")
    else:
        write_parquet(file, rows)


def write_parquet(file, rows):
    duckdb = pytest.importorskip("duckdb")
    values = ", ".join("({})".format(", ".join("?" for _ in row)) for row in rows)
    named = ", ".join(f'"{name}"' for name in rows[0])
    path = str(file).replace("'", "''")
    duckdb.connect().execute(
        f"COPY (SELECT * FROM (VALUES {values}) AS t({named})) TO '{path}' (FORMAT parquet)",
        [value for row in rows for value in row.values()],
    )


def test_rows_of_a_table_that_can_t_be_used_are_named(tmp_path, bring, out, told, png, fill):
    lines = ['{"file_name": "a.png", "text": "one"}', '{"file_name": ', '["a.png"]', '{"text": "no name"}',
             '{"file_name": "a.png"}', '{"file_name": "a.png", "text": "two"}']  # fmt: skip
    bring(fill(tmp_path / "photos", {"a.png": png(), "metadata.jsonl": "\n".join(lines)}))
    assert out()["a.txt"] == b"one"
    assert list(told()) == [f"metadata.jsonl line {number}" for number in (2, 3, 4, 5, 6)]


def test_a_csv_with_odd_rows_gives_what_can_be_read(tmp_path, bring, out, told, png, fill):
    text = 'file_name,text\na.png,a\0 fox\nb.png,two,many\nc.png,"' + "x" * 200_000 + '"\nd.png,größer\n'
    pictures = {f"{name}.png": png(number) for number, name in enumerate("abcd")}
    bring(fill(tmp_path / "photos", {**pictures, "metadata.csv": text.encode("cp1252")}))
    assert {name: text for name, text in out().items() if name.endswith(".txt")} == {
        "a.txt": b"a fox", "d.txt": "größer".encode()
    }  # fmt: skip
    assert "3 values for 2 columns" in told()["metadata.csv line 3"]
    assert "field limit" in told()["metadata.csv line 4"]


def test_pictures_inside_parquet_files_come_with_their_captions(tmp_path, bring, out, told, png):
    duckdb = pytest.importorskip("duckdb")
    file = tmp_path / "train[0]*.parquet"  # a pattern to DuckDB, unless it is told otherwise
    connection = duckdb.connect()
    connection.execute("CREATE TABLE t (image STRUCT(bytes BLOB, path VARCHAR), text VARCHAR)")
    rows = [(png(1), "x/fox.png", "a fox"), (png(2, kind="JPEG"), None, "no name"), (None, "gone.png", "nothing"),
            (b"<html>", "page.png", "not a picture"), (png(3, kind="WEBP"), "named.png", None)]  # fmt: skip
    for data, path, text in rows:
        connection.execute("INSERT INTO t VALUES ({'bytes': ?::BLOB, 'path': ?}, ?)", [data, path, text])
    connection.execute(f"COPY t TO '{tmp_path}/plain.parquet' (FORMAT parquet)")
    (tmp_path / "plain.parquet").rename(file)
    result = bring(file)
    stem = "train[0]_-"
    assert out() == {
        "fox.png": png(1), "fox.txt": b"a fox", f"{stem}000002.jpg": png(2, kind="JPEG"),
        f"{stem}000002.txt": b"no name", f"{stem}000005.webp": png(3, kind="WEBP"),
    }  # fmt: skip
    assert "only the name 'gone.png'" in told()[f"{file.name} row 3"]
    assert result["made"] == 3
    assert "page.png" in told() or f"{file.stem}-000004.png" in told()


@pytest.mark.option("ImportOptions.picture_column", "ImportOptions.caption_column")
def test_other_columns_are_taken_where_they_are_named(tmp_path, bring, out, png, fill):
    text = "text,words,where\nnot this,a fox,a.png\n"
    folder = fill(tmp_path / "photos", {"a.png": png(), "metadata.csv": text})
    bring(folder, picture_column="where", caption_column="words")
    assert out()["a.txt"] == b"a fox"
    table = fill(tmp_path, {"t.csv": text}) / "t.csv"
    for options in ({"picture_column": "nowhere"}, {"caption_column": "nowhere"}):
        with pytest.raises(ConfigError, match=f"{next(iter(options))}.*nowhere.*text, words, where"):
            bring(folder, table, **options)


@pytest.mark.option("ImportOptions.picture_column", "ImportOptions.caption_column")
def test_columns_of_a_parquet_file_are_taken_where_they_are_named(tmp_path, bring, out, png):
    row = {"small": png(1), "large": png(2), "text": "not this", "words": "a fox"}
    write_parquet(tmp_path / "t.parquet", [row])
    bring(tmp_path / "t.parquet", picture_column="large", caption_column="words")
    assert out() == {"t-000001.png": png(2), "t-000001.txt": b"a fox"}


def test_what_is_no_parquet_file_is_refused_by_name(tmp_path, bring):
    pytest.importorskip("duckdb")
    (tmp_path / "t.parquet").write_bytes(b"PAR1 not at all")
    with pytest.raises(DataError, match=r"t\.parquet is no whole parquet file"):
        bring(tmp_path / "t.parquet")


def test_nothing_usable_is_an_error_that_names_the_first_reason(tmp_path, bring, fill):
    with pytest.raises(DataError, match=r"no picture.*a\.png: the file is empty"):
        bring(fill(tmp_path / "photos", {"a.png": b""}))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["gone", "gone.zip", "a.exe"])
def test_a_source_that_is_not_there_or_of_no_known_kind_is_refused(tmp_path, bring, fill, name):
    fill(tmp_path, {"a.exe": b"MZ"})
    with pytest.raises(DataError, match=name):
        bring(tmp_path / name)


@pytest.mark.parametrize("place", ["photos", "photos/in", "."])
def test_an_output_that_overlaps_with_a_source_is_refused(tmp_path, run, png, fill, place):
    folder = fill(tmp_path / "photos", {"a.png": png()})
    with pytest.raises(DataError, match="overlaps"):
        bring_in(ImportOptions(source=(folder,), output=tmp_path / place), run)
    assert [path.name for path in folder.iterdir()] == ["a.png"]


def test_a_stop_ends_it_early_and_the_next_run_brings_the_rest(tmp_path, bring, out, run, png, fill, monkeypatch):
    folder = fill(tmp_path / "photos", {f"{number:02d}.png": png(number) for number in range(90)})
    asked = iter([False] * 20)
    monkeypatch.setattr(RunDirectory, "stop_requested", lambda self: next(asked, True))
    first = bring(folder)
    assert 0 < first["made"] < 90
    assert len(out()) == first["made"]
    assert not [event for event in run.events_after(0)[0] if isinstance(event, Saved)]
    monkeypatch.undo()
    second = bring(folder)
    assert (second["kept"], second["made"]) == (first["made"], 90 - first["made"])


def test_what_a_killed_import_left_half_is_cleared_away(tmp_path, bring, out, png, fill):
    fill(tmp_path / "out", {".incoming/3": b"half of a picture", "in/b.png.123-45.tmp": b"half"})
    bring(fill(tmp_path / "photos", {"a.png": png()}))
    assert list(out()) == ["a.png"]


def test_two_imports_into_one_folder_at_once_are_refused(tmp_path, bring, png, fill):
    from lib_trainer.core.file_lock import file_lock

    folder = fill(tmp_path / "photos", {"a.png": png()})
    with file_lock(tmp_path / "out" / ".incoming.lock"), pytest.raises(DataError, match="at work"):
        bring(folder)


def test_links_in_folders_are_followed_but_not_in_a_circle(tmp_path, bring, out, png, fill):
    folder = fill(tmp_path / "photos", {"sub/a.png": png()})
    try:
        (folder / "sub" / "again").symlink_to(folder, target_is_directory=True)
    except OSError:
        pytest.skip("this system makes no links")
    bring(folder)
    assert list(out()) == ["sub/a.png"]
