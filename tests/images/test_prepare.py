import json
import os
import random
import stat
from dataclasses import replace

import pytest

from lib_trainer.core.errors import ConfigError, DataError, OutputError
from lib_trainer.core.events import Notice, Progress, Saved, Table
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.images.options import BucketOptions, CaptionOptions, PrepareOptions

pytestmark = pytest.mark.engine
pytest.importorskip("PIL")

from PIL import Image  # noqa: E402

from lib_trainer.images.prepare import prepare  # noqa: E402

RED = (255, 0, 0)


def picture(path, size=(200, 100), colour="red"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)
    return path


def caption(path, text):
    path.with_suffix(".txt").write_bytes(text.encode("utf-8"))


@pytest.fixture
def options(tmp_path):
    return PrepareOptions(
        folder=tmp_path / "photos", output=tmp_path / "out", buckets=BucketOptions(resolution=64, step=8)
    )


def events(run, kind):
    return [event for event in run.events_after(0)[0] if isinstance(event, kind)]


def notices(run):
    return [event.message for event in events(run, Notice)]


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def names(folder):
    return [name for name in contents(folder) if not name.startswith(".")]


def size(path):
    with Image.open(path) as image:
        return image.size


@pytest.mark.option("PrepareOptions.folder", "PrepareOptions.output", "PrepareOptions.captions")
def test_copies_and_captions_are_made_in_the_same_sub_folders_and_originals_stay(options, run):
    caption(picture(options.folder / "10_fox" / "a.jpg"), "\ufeffein Füchslein\r\n")
    picture(options.folder / "b.png")
    before = contents(options.folder)
    result = prepare(options, run)
    assert result == {"folder": str(options.output), "pictures": 2, "made": 2, "kept": 0, "skipped": 0}
    assert names(options.output) == ["10_fox/a.png", "10_fox/a.txt", "b.png"]
    assert contents(options.output)["10_fox/a.txt"] == "ein Füchslein".encode()
    assert contents(options.folder) == before


@pytest.mark.option("PrepareOptions.output")
def test_the_copies_go_beside_the_pictures_unless_told_otherwise(options, run):
    picture(options.folder / "a.png")
    result = prepare(replace(options, output=None), run)
    assert result["folder"] == str(options.folder.parent / "photos-prepared")
    assert names(options.folder.parent / "photos-prepared") == ["a.png"]


@pytest.mark.option("PrepareOptions.captions")
def test_captions_come_from_the_chosen_source(options, run):
    caption(picture(options.folder / "a_fox.png"), "not this")
    prepare(replace(options, captions=CaptionOptions(source="file name")), run)
    assert contents(options.output)["a_fox.txt"] == b"a fox"


@pytest.mark.option(
    "PrepareOptions.resize", "PrepareOptions.crop", "PrepareOptions.width", "PrepareOptions.height",
    "PrepareOptions.buckets",
)
@pytest.mark.parametrize(
    ("resize", "crop", "expected"),
    [
        ("buckets", "centre", (88, 40)),
        ("buckets", "none", (88, 44)),
        ("shortest", "centre", (64, 64)),
        ("shortest", "none", (128, 64)),
        ("exact", "centre", (90, 50)),
        ("exact", "none", (90, 50)),
    ],
)
def test_each_way_of_resizing_and_cropping_gives_its_size(options, run, resize, crop, expected):
    picture(options.folder / "a.png", (200, 100))
    prepare(replace(options, resize=resize, crop=crop, width=90, height=50), run)
    assert size(options.output / "a.png") == expected


@pytest.mark.option("PrepareOptions.crop", "PrepareOptions.background")
def test_an_exact_copy_without_cropping_shows_the_whole_picture_on_the_background(options, run):
    picture(options.folder / "a.png", (200, 100))
    prepare(replace(options, resize="exact", crop="none", width=80, height=60, background="blue"), run)
    with Image.open(options.output / "a.png") as image:
        assert image.size == (80, 60)
        assert [image.getpixel((40, y)) for y in (0, 9, 10, 49, 50, 59)] == [
            *[(0, 0, 255)] * 2,
            *[RED] * 2,
            *[(0, 0, 255)] * 2,
        ]


@pytest.mark.option("PrepareOptions.background")
def test_transparency_is_composed_on_the_background(options, run):
    options.folder.mkdir()
    Image.new("RGBA", (64, 64), (0, 0, 0, 0)).save(options.folder / "a.png")
    prepare(replace(options, background="#0a141e"), run)
    with Image.open(options.output / "a.png") as image:
        assert image.getpixel((32, 32)) == (10, 20, 30)


@pytest.mark.option("PrepareOptions.format")
@pytest.mark.parametrize(("kind", "suffix"), [("png", ".png"), ("jpeg", ".jpg"), ("webp", ".webp")])
def test_the_format_is_the_chosen_one(options, run, kind, suffix):
    picture(options.folder / "a.bmp")
    prepare(replace(options, format=kind), run)
    with Image.open(options.output / f"a{suffix}") as image:
        assert image.format == kind.upper()


@pytest.mark.option("PrepareOptions.quality")
@pytest.mark.parametrize("kind", ["jpeg", "webp"])
def test_a_lower_quality_makes_smaller_files(options, run, tmp_path, kind):
    options.folder.mkdir()
    Image.frombytes("RGB", (64, 64), random.Random(1).randbytes(64 * 64 * 3)).save(options.folder / "a.png")
    lengths = []
    for quality in (95, 20):
        output = tmp_path / f"out-{quality}"
        prepare(replace(options, format=kind, quality=quality, output=output), run)
        lengths.append(len(contents(output)[f"a{'.jpg' if kind == 'jpeg' else '.webp'}"]))
    assert lengths[1] < lengths[0] / 2


@pytest.mark.option("BucketOptions.no_upscale")
@pytest.mark.parametrize(
    ("resize", "crop", "small", "enlarged"),
    [
        ("buckets", "centre", (48, 24), (80, 48)),
        ("buckets", "none", (50, 30), (80, 48)),
        ("shortest", "centre", (30, 30), (64, 64)),
        ("shortest", "none", (50, 30), (107, 64)),
    ],
)
def test_small_pictures_are_not_enlarged_where_that_is_wished(options, run, resize, crop, small, enlarged):
    picture(options.folder / "a.png", (50, 30))
    options = replace(options, resize=resize, crop=crop)
    prepare(replace(options, buckets=replace(options.buckets, no_upscale=True)), run)
    assert size(options.output / "a.png") == small
    prepare(options, run)
    assert size(options.output / "a.png") == enlarged


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"resize": "exact", "buckets": BucketOptions(no_upscale=True)}, "buckets.no_upscale"),
        ({"resize": "shortest", "buckets": BucketOptions(square=True)}, "buckets.square"),
        ({"background": "whit"}, "background"),
        ({"buckets": BucketOptions(resolution=64, step=128)}, "buckets.step"),
        ({"captions": CaptionOptions(source="prompt")}, "captions.prompt"),
    ],
)
def test_options_that_contradict_each_other_are_refused_before_anything_is_written(options, run, change, named):
    picture(options.folder / "a.png")
    with pytest.raises(ConfigError, match=named):
        prepare(replace(options, **change), run)
    assert not options.output.exists()


def test_a_second_run_makes_nothing_again(options, run):
    caption(picture(options.folder / "a.png"), "a fox")
    picture(options.folder / "b.png")
    prepare(options, run)
    times = {path: path.stat().st_mtime_ns for path in options.output.glob("[ab].*")}
    result = prepare(options, run)
    assert (result["made"], result["kept"], result["pictures"]) == (0, 2, 2)
    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert notices(run) == []


def test_a_changed_original_a_changed_setting_and_a_lost_copy_are_made_again(options, run):
    for name in "abc":
        picture(options.folder / f"{name}.png")
    prepare(options, run)
    picture(options.folder / "a.png", colour="blue")
    (options.output / "b.png").unlink()
    assert prepare(options, run)["made"] == 2
    with Image.open(options.output / "a.png") as image:
        assert image.getpixel((5, 5)) == (0, 0, 255)
    assert prepare(replace(options, buckets=BucketOptions(resolution=128, step=8)), run)["made"] == 3
    assert size(options.output / "c.png") == (176, 88)


def test_another_format_replaces_the_copies(options, run):
    caption(picture(options.folder / "a.png"), "a fox")
    prepare(options, run)
    prepare(replace(options, format="webp"), run)
    assert names(options.output) == ["a.txt", "a.webp"]


def test_a_changed_caption_is_carried_along(options, run):
    caption(picture(options.folder / "a.png"), "old")
    prepare(options, run)
    caption(options.folder / "a.png", "new")
    assert prepare(options, run)["kept"] == 1
    assert contents(options.output)["a.txt"] == b"new"
    (options.folder / "a.txt").unlink()
    prepare(options, run)
    assert names(options.output) == ["a.png"]


def test_what_somebody_changed_in_the_copies_is_kept_and_reported(options, run):
    for name in "ab":
        caption(picture(options.folder / f"{name}.png"), "first")
    prepare(options, run)
    picture(options.output / "a.png", (64, 64), "green")
    caption(options.output / "b.png", "by hand")
    edited = contents(options.output)
    picture(options.folder / "a.png", colour="blue")
    caption(options.folder / "b.png", "second")
    for _ in range(2):
        prepare(options, run)
        after = contents(options.output)
        assert (after["a.png"], after["b.txt"]) == (edited["a.png"], b"by hand")
    told = notices(run)
    assert len(told) == 4
    assert any("a.png" in message and "changed by somebody" in message for message in told)
    assert any("b.png" in message and "captions" in message for message in told)


def test_a_copy_whose_original_is_gone_is_reported_and_left(options, run):
    for name in ("a.png", "b.png"):
        picture(options.folder / name)
    prepare(options, run)
    (options.folder / "b.png").unlink()
    result = prepare(options, run)
    assert result["pictures"] == 1
    assert names(options.output) == ["a.png", "b.png"]
    assert any("b.png" in message and "originals are gone" in message for message in notices(run))
    (options.output / "b.png").unlink()
    before = len(notices(run))
    prepare(options, run)
    assert len(notices(run)) == before


def test_pictures_whose_names_collide_are_all_kept(options, run):
    picture(options.folder / "a.jpg", colour="blue")
    picture(options.folder / "a.png")
    assert prepare(options, run)["made"] == 2
    assert names(options.output) == ["a-png.png", "a.png"]
    with Image.open(options.output / "a-png.png") as image:
        assert image.getpixel((5, 5)) == RED


def test_unreadable_pictures_are_skipped_and_counted(options, run):
    picture(options.folder / "a.png")
    (options.folder / "b.png").touch()
    assert prepare(options, run) == {
        "folder": str(options.output), "pictures": 1, "made": 1, "kept": 0, "skipped": 1
    }
    (table,) = [event for event in events(run, Table) if event.title == "Skipped files"]
    assert table.rows == [["b.png", "the file is empty"]]


def test_a_copy_too_large_for_its_format_is_skipped_with_the_reason(options, run):
    picture(options.folder / "a.png")
    picture(options.folder / "long.png", (20_000, 64))
    result = prepare(replace(options, resize="shortest", crop="none", format="webp"), run)
    assert (result["made"], result["skipped"]) == (1, 1)
    (table,) = [event for event in events(run, Table) if event.title == "Skipped files"]
    assert table.rows[0][0] == "long.png"
    assert "20000 x 64" in table.rows[0][1]


def test_progress_tables_and_the_folder_are_told(options, run):
    picture(options.folder / "a.png")
    prepare(options, run)
    assert [(event.stage, event.done, event.total) for event in events(run, Progress)] == [
        ("Looking at pictures", 1, 1),
        ("Making copies", 1, 1),
    ]
    assert [event.title for event in events(run, Table)] == [f"Pictures in {options.folder}", "Buckets"]
    assert [(event.kind, event.path) for event in events(run, Saved)] == [("pictures", str(options.output))]


def test_a_stop_ends_it_early_and_the_next_run_finishes(options, run, monkeypatch):
    for number in range(60):
        picture(options.folder / f"{number:02d}.png", (8, 8))
    asked = iter([False] * 70)
    monkeypatch.setattr(RunDirectory, "stop_requested", lambda self: next(asked, True))
    result = prepare(options, run)
    assert 0 < result["made"] < 60
    assert len(names(options.output)) == result["made"]
    assert events(run, Saved) == []
    monkeypatch.undo()
    again = prepare(options, run)
    assert (again["kept"], again["made"]) == (result["made"], 60 - result["made"])


def test_a_stop_while_looking_writes_nothing(options, run):
    picture(options.folder / "a.png")
    run.request("stop")
    assert prepare(options, run)["pictures"] == 0
    assert not options.output.exists()
    assert run.stop_requested()


def test_a_run_that_was_killed_leaves_copies_that_the_next_one_takes_over(options, run):
    for name in "ab":
        caption(picture(options.folder / f"{name}.png"), "a fox")
    prepare(options, run)
    manifest = options.output / ".prepared.json"
    data = json.loads(manifest.read_text(encoding="utf-8"))
    data["copies"]["b.png"].update(content="", original="", recipe="")
    manifest.write_text(json.dumps(data), encoding="utf-8")
    (options.output / "b.png").write_bytes(b"half of a picture")
    assert prepare(options, run)["made"] == 1
    assert names(options.output) == ["a.png", "a.txt", "b.png", "b.txt"]
    assert notices(run) == []


@pytest.mark.parametrize("place", ["photos", "photos/inside", "."])
def test_an_output_that_overlaps_with_the_originals_is_refused_with_both_paths(options, run, place):
    picture(options.folder / "a.png")
    output = (options.folder.parent / place).resolve()
    with pytest.raises(DataError) as caught:
        prepare(replace(options, output=output), run)
    assert str(output) in str(caught.value)
    assert str(options.folder) in str(caught.value)


def test_an_output_with_other_files_is_refused(options, run):
    picture(options.folder / "a.png")
    picture(options.output / "mine.png")
    with pytest.raises(OutputError, match=r"mine\.png"):
        prepare(options, run)
    assert names(options.output) == ["mine.png"]


def test_an_output_that_is_a_file_is_an_output_error(options, run):
    picture(options.folder / "a.png")
    options.output.write_text("a file", encoding="utf-8")
    with pytest.raises(OutputError, match="out"):
        prepare(options, run)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a user whom the system refuses")
def test_an_unwritable_output_is_an_output_error(options, run):
    picture(options.folder / "a.png")
    options.output.mkdir()
    options.output.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(OutputError, match="out"):
        prepare(options, run)


def test_a_full_disk_is_an_output_error_that_names_the_file(options, run, monkeypatch):
    from lib_trainer.images import copying

    def full(path):
        raise OSError(28, "No space left on device")

    picture(options.folder / "a.png")
    monkeypatch.setattr(copying, "whole_file", full)
    with pytest.raises(OutputError, match=r"a\.png.*No space left"):
        prepare(options, run)


def test_training_on_the_copies_gives_the_same_buckets(options, run):
    from lib_trainer.images.folder import scan
    from lib_trainer.images.report import describe_pictures

    for number, shape in enumerate([(200, 100), (100, 200), (64, 64), (333, 250)]):
        picture(options.folder / f"10_fox/{number}.png", shape)
    prepare(options, run)
    before, after = (
        describe_pictures(scan(folder, CaptionOptions()), [options.buckets])[-1].rows
        for folder in (options.folder, options.output)
    )
    assert [row[:3] for row in before] == [row[:3] for row in after]
    assert {(entry.width, entry.height) for entry in scan(options.output, CaptionOptions()).pictures} == {
        tuple(map(int, row[0].split(" x "))) for row in after
    }
