"""The step `inspect`: its listing tells the truth about each picture and about what would become of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lib_trainer.core.errors import ConfigError, DataError
from lib_trainer.core.events import Progress, Table
from lib_trainer.core.places import cache_folder
from lib_trainer.images.options import BucketOptions, CaptionOptions, InspectOptions, PrepareOptions

pytestmark = pytest.mark.engine
pytest.importorskip("PIL")

from PIL import Image  # noqa: E402

from lib_trainer.images.buckets import REDUCING_GAP  # noqa: E402
from lib_trainer.images.inspect import inspect  # noqa: E402
from lib_trainer.images.known_sizes import KnownSizes  # noqa: E402
from lib_trainer.images.prepare import prepare  # noqa: E402

SMALL = BucketOptions(resolution=64, step=8)


def picture(path, size=(200, 100), colour="red", **how):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path, **how)
    return path


def noise(path, size):
    """A picture of which no two parts are alike."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.merge("RGB", [Image.effect_noise(size, 80) for _ in "RGB"]).save(path)
    return path


@pytest.fixture
def photos(tmp_path):
    return tmp_path / "photos"


@pytest.fixture
def listed(photos, run):
    """`listed(repeats=2)`: the pictures of the listing, by their file."""

    def made(**options):
        result = inspect(InspectOptions(folder=photos, **{"buckets": SMALL, **options}), run)
        listing = json.loads((run.path / result["listing"]).read_text(encoding="utf-8"))
        assert listing["folder"] == str(photos)
        assert [each["n"] for each in listing["pictures"]] == list(range(len(listing["pictures"])))
        return {each["file"]: each for each in listing["pictures"]}

    return made


def events(run, kind):
    return [event for event in run.events_after(0)[0] if isinstance(event, kind)]


@pytest.mark.option("InspectOptions.folder", "InspectOptions.captions")
def test_each_picture_is_listed_with_its_size_caption_and_repeats_and_each_useless_file_with_its_problem(
    photos, run, listed
):
    path = picture(photos / "10_fox" / "a.jpg", (200, 100))
    path.with_suffix(".txt").write_text("a fox", encoding="utf-8")
    (photos / "b.png").write_bytes(b"")
    (photos / "c.heic").write_bytes(b"x")
    found = listed()
    assert list(found) == ["10_fox/a.jpg", "b.png", "c.heic"]
    fox = {key: found["10_fox/a.jpg"][key] for key in ("width", "height", "bytes", "caption", "caption_source")}
    assert fox == {
        "width": 200, "height": 100, "bytes": path.stat().st_size, "caption": "a fox", "caption_source": ".txt",
    }  # fmt: skip
    assert found["10_fox/a.jpg"]["repeats"] == 10
    assert found["10_fox/a.jpg"]["problem"] == ""
    assert found["b.png"]["problem"] == "It is left out: the file is empty."
    assert "can't be read" in found["c.heic"]["problem"]
    assert {key for each in found.values() for key in each} == set(found["b.png"])


@pytest.mark.option("InspectOptions.captions")
def test_captions_come_from_where_training_takes_them(photos, listed):
    picture(photos / "red_fox.png")
    assert listed(captions=CaptionOptions(source="file name"))["red_fox.png"]["caption"] == "red fox"


@pytest.mark.option("InspectOptions.repeats")
def test_repeats_multiply_those_of_the_folder_in_the_listing_and_in_the_tables(photos, run, listed):
    picture(photos / "3_fox" / "a.png")
    assert listed(repeats=2)["3_fox/a.png"]["repeats"] == 6
    assert ["Pictures in one epoch", "6"] in events(run, Table)[0].rows


@pytest.mark.parametrize("size", [(200, 100), (100, 200), (333, 97), (64, 64), (40, 30), (90, 91)])
@pytest.mark.parametrize(
    "how",
    [
        {"resize": "buckets"},
        {"resize": "buckets", "buckets": BucketOptions(resolution=64, step=8, no_upscale=True)},
        {"resize": "buckets", "buckets": BucketOptions(resolution=64, step=8, square=True)},
        {"resize": "shortest"},
        {"resize": "exact", "width": 48, "height": 80},
        {"resize": "buckets", "crop": "none"},
        {"resize": "shortest", "crop": "none"},
        {"resize": "exact", "crop": "none", "width": 48, "height": 80, "background": "blue"},
    ],
)
@pytest.mark.option(
    "InspectOptions.resize", "InspectOptions.crop", "InspectOptions.width", "InspectOptions.height",
    "InspectOptions.buckets",
)  # fmt: skip
def test_the_crop_applied_by_hand_to_the_original_is_what_prepare_writes(photos, run, listed, tmp_path, size, how):
    original = Image.open(noise(photos / "a.png", size))
    found = listed(**how)["a.png"]
    prepare(PrepareOptions(folder=photos, output=tmp_path / "out", **{"buckets": SMALL, **how}), run)
    copy = Image.open(tmp_path / "out" / "a.png")
    assert found["target"] == list(copy.size)
    if found["how"] == "fit":
        assert found["crop"] == [0, 0, *size]
        assert copy.getpixel((0, 0)) == (0, 0, 255) or original.width / original.height == 48 / 80
        return
    by_hand = original.resize(
        tuple(found["target"]), Image.Resampling.LANCZOS, box=tuple(found["crop"]), reducing_gap=REDUCING_GAP
    )
    assert by_hand.tobytes() == copy.tobytes()


def test_target_and_crop_are_those_of_training(photos, listed, tmp_path):
    torch = pytest.importorskip("torch")
    assert torch
    from lib_trainer.dataset.context import DatasetContext
    from lib_trainer.dataset.entries import find_entries
    from lib_trainer.dataset.options import DatasetOptions

    for number, size in enumerate(((200, 100), (90, 91), (333, 97))):
        noise(photos / f"{number}.png", size)
    context = DatasetContext(tmp_path / "cache", 0, 1, lambda event: None, lambda: False)
    entries = find_entries(DatasetOptions(folder=photos, buckets=SMALL), context)
    found = listed()
    for entry in entries:
        told = found[entry.path.name]
        assert told["target"] == list(entry.bucket)
        left, top, right, bottom = entry.view.box
        across, down = told["width"] / entry.view.scaled[0], told["height"] / entry.view.scaled[1]
        assert told["crop"] == pytest.approx([left * across, top * down, right * across, bottom * down], abs=1)


def test_thumbs_are_small_upright_and_on_the_background(photos, run, listed):
    exif = Image.Exif()
    exif[0x0112] = 6
    picture(photos / "turned.jpg", (1200, 600), exif=exif)
    Image.new("RGBA", (300, 300), (0, 0, 0, 0)).save(photos / "clear.png")
    picture(photos / "tiny.png", (20, 10))
    found = listed(background="lime")
    thumbs = {name: Image.open(run.path / each["thumb"]) for name, each in found.items()}
    assert {name: thumb.size for name, thumb in thumbs.items()} == {
        "turned.jpg": (128, 256), "clear.png": (256, 256), "tiny.png": (20, 10),
    }  # fmt: skip
    red, green, blue = thumbs["clear.png"].convert("RGB").getpixel((100, 100))
    assert green > 240 > 20 > max(red, blue)


@pytest.mark.option("InspectOptions.background")
def test_the_background_shows_in_the_thumbs_and_a_bad_one_is_refused(photos, run, listed):
    Image.new("RGBA", (30, 30), (0, 0, 0, 0)).save(photos.mkdir() or photos / "a.png")
    colours = [Image.open(run.path / listed(background=name)["a.png"]["thumb"]).getpixel((9, 9)) for name in
               ("white", "black")]  # fmt: skip
    assert min(colours[0]) > 240 > 20 > max(colours[1])
    with pytest.raises(ConfigError, match="'background' is 'blakc'"):
        listed(background="blakc")


def test_pictures_of_one_name_in_two_folders_have_thumbs_of_their_own(photos, run, listed):
    picture(photos / "a" / "x.png", colour="red")
    picture(photos / "b" / "x.png", colour="blue")
    colours = [Image.open(run.path / each["thumb"]).getpixel((5, 5)) for each in listed().values()]
    assert colours[0][0] > 200 > 50 > colours[1][0]


def test_warnings_name_what_is_wrong_with_a_picture_that_can_be_used(photos, listed):
    same = picture(photos / "a.png", (30, 30)).read_bytes()
    (photos / "copy.png").write_bytes(same)
    picture(photos / "long.png", (400, 64)).with_suffix(".txt").write_text("word " * 80, encoding="utf-8")
    picture(photos / "fine.png", (64, 64)).with_suffix(".txt").write_text("a square", encoding="utf-8")
    found = listed(buckets=BucketOptions(resolution=64, step=8, square=True))
    assert found["a.png"]["warnings"] == ["small, enlarged 2.1x", "no caption"]
    assert found["copy.png"]["warnings"] == ["small, enlarged 2.1x", "no caption", "the same file as a.png"]
    assert found["long.png"]["warnings"] == [
        "84% of it is cropped away", "long caption, the model reads only its beginning",
    ]  # fmt: skip
    assert found["fine.png"]["warnings"] == []


def test_progress_and_the_tables_of_prepare_are_told(photos, run, listed):
    picture(photos / "a.png")
    (photos / "b.png").write_bytes(b"")
    listed()
    assert [(event.done, event.total) for event in events(run, Progress)][-1] == (2, 2)
    assert [table.title for table in events(run, Table)] == [f"Pictures in {photos}", "Skipped files", "Buckets"]
    run.events_file.unlink()
    listed(resize="shortest")
    assert "Buckets" not in [table.title for table in events(run, Table)]


def test_a_stop_leaves_no_listing(photos, run):
    picture(photos / "a.png")
    run.request("stop")
    assert inspect(InspectOptions(folder=photos), run) == {}
    assert not (run.path / "listing.json").exists()


def test_a_folder_without_a_picture_is_named(photos, run):
    photos.mkdir()
    with pytest.raises(DataError, match="holds no picture"):
        inspect(InspectOptions(folder=photos), run)


def test_what_was_looked_at_is_known_to_a_later_plan(photos, listed, monkeypatch):
    import os

    for path in (picture(photos / "a.png", (20, 10)), photos / "b.png"):
        path.touch()
        os.utime(path, ns=(10**18, 10**18))
    listed()
    monkeypatch.setattr("lib_trainer.images.known_sizes.measure", None)
    assert KnownSizes(cache_folder(), photos).measure(photos / "a.png") == (20, 10)


def test_it_does_not_need_torch(photos, run):
    picture(photos / "a.png")
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from pathlib import Path\n"
        "from lib_trainer.core.run_directory import RunDirectory\n"
        "from lib_trainer.steps import STEPS\n"
        "step = STEPS['inspect']\n"
        "print(step.resolve()(step.options(folder=Path(sys.argv[1])), RunDirectory(Path(sys.argv[2]))))"
    )
    command = [sys.executable, "-c", code, str(photos), str(run.path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert "'count': 1" in done.stdout, done.stderr
