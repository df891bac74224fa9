"""The step `duplicates`: what was altered is found, what is different is not, the best is proposed, the rest can go."""

from __future__ import annotations

import json
import shutil

import pytest

from lib_trainer.core.events import Table
from lib_trainer.images.bin import binned
from lib_trainer.images.duplicates.options import DuplicateOptions
from lib_trainer.images.options import CaptionOptions

pytestmark = pytest.mark.engine
np = pytest.importorskip("numpy")
pytest.importorskip("PIL")

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps  # noqa: E402

from lib_trainer.core.places import EXTENSION_ROOT  # noqa: E402
from lib_trainer.images.duplicates.duplicates import REPORT, find_duplicates  # noqa: E402

DRAWINGS = EXTENSION_ROOT / "lib_trainer" / "demo" / "pictures" / "openmoji-held-out"
SIZE = (400, 304)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "photos").mkdir()
    return tmp_path / "photos"


def octave(chance, cells):
    rough = chance.integers(0, 255, (cells * 3, cells * 4, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(rough).resize(SIZE, Image.Resampling.BICUBIC), dtype=np.float64) / cells


@pytest.fixture
def photo():
    """`photo(3)`: the third of many pictures with as much detail of each size as photographs have."""

    def made(number):
        chance = np.random.default_rng(number)
        octaves = [octave(chance, cells) for cells in (2, 4, 8, 16, 32, 64)]
        whole = sum(octaves)
        return Image.fromarray(np.uint8((whole - whole.min()) / np.ptp(whole) * 230))

    return made


class Search:
    """Runs the step; `result` and `report` are those of the last time."""

    def __init__(self, folder, run):
        self.folder, self.run = folder, run

    def __call__(self, **options):
        """The groups of the report, each as (kind, keep, the others)."""
        self.result = find_duplicates(DuplicateOptions(folder=self.folder, **options), self.run)
        self.report = json.loads((self.run.path / REPORT).read_text(encoding="utf-8"))
        groups = self.report["groups"]
        return [(each["kind"], each["keep"], {one["file"] for one in each["pictures"][1:]}) for each in groups]


@pytest.fixture
def found(folder, run):
    """`found(similarity=0.8)`: a search through the folder."""
    return Search(folder, run)


def with_bar(image):
    canvas = Image.new("RGB", (image.width, round(image.height * 1.12)), "white")
    canvas.paste(image)
    ImageDraw.Draw(canvas).text((10, image.height + 5), "a caption under the picture", fill="black", font_size=20)
    return canvas


ALTERED = {
    "resized": lambda image: image.resize((image.width // 2, image.height // 2)),
    "cropped": lambda image: image.crop((0, round(image.height * 0.05), round(image.width * 0.95), image.height)),
    "cropped all around": lambda image: ImageOps.crop(image, border=round(image.width * 0.05)),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.3),
    "darker": lambda image: ImageEnhance.Brightness(image).enhance(0.6),
    "with a bar": with_bar,
}
KEPT_ALIKE = ("brighter", "darker")  # as large and as sharp: either may be kept


@pytest.mark.parametrize("how", ALTERED)
@pytest.mark.option("DuplicateOptions.folder")
def test_an_altered_copy_is_found_and_the_original_is_kept(folder, photo, found, how):
    for number in (1, 2, 3):
        photo(number).save(folder / f"{number}.png")
    ALTERED[how](photo(2)).save(folder / "0-copy.png")
    ((kind, keep, others),) = found()
    assert (kind, {keep, *others}) == ("near", {"2.png", "0-copy.png"})
    assert how in KEPT_ALIKE or keep == "2.png"
    assert found.result | {"folder": "", "report": ""} == {
        "folder": "", "report": "", "pictures": 4, "groups": 1, "copies": 1, "mirrored": 0, "binned": 0,
    }  # fmt: skip


def test_strong_compression_is_seen_through_and_is_worse(folder, photo, found):
    photo(1).save(folder / "better.jpg", quality=92)
    photo(1).save(folder / "a.jpg", quality=30)
    assert found() == [("near", "better.jpg", {"a.jpg"})]
    assert found.report["groups"][0]["why"] == "less compressed"
    assert [each["compression"] for each in found.report["groups"][0]["pictures"]] == [92, 30]


def test_a_blurred_copy_of_the_same_size_is_worse(folder, photo, found):
    photo(1).filter(ImageFilter.GaussianBlur(2)).save(folder / "a.png")
    photo(1).save(folder / "b.png")
    assert found() == [("near", "b.png", {"a.png"})]
    assert found.report["groups"][0]["why"] == "the most detail"


def test_the_same_file_twice_is_a_kind_of_its_own_and_the_one_with_a_caption_stays(folder, photo, found):
    photo(1).save(folder / "a.png")
    shutil.copy(folder / "a.png", folder / "b.png")
    (folder / "b.txt").write_text("a macaw", encoding="utf-8")
    assert found() == [("same", "b.png", {"a.png"})]
    assert found.report["groups"][0]["why"] == "the one with a caption"
    assert [each["likeness"] for each in found.report["groups"][0]["pictures"]] == [1.0, 1.0]


@pytest.mark.option("DuplicateOptions.mirrored")
def test_mirrored_ones_are_listed_apart_and_only_if_wanted(folder, photo, found):
    photo(1).save(folder / "a.png")
    photo(1).resize((200, 200)).save(folder / "a-small.png")
    ImageOps.mirror(photo(1)).save(folder / "b.jpg", quality=60)
    assert found() == [("near", "a.png", {"a-small.png"}), ("mirrored", "a.png", {"b.jpg"})]
    assert found.result["mirrored"] == 1
    assert found(mirrored=False) == [("near", "a.png", {"a-small.png"})]


@pytest.mark.option("DuplicateOptions.similarity")
def test_how_alike_they_must_be_can_be_told(folder, photo, found):
    photo(1).save(folder / "a.png")
    ALTERED["cropped"](photo(1)).save(folder / "b.png")
    assert found(similarity=0.999) == []
    assert [kind for kind, _, _ in found(similarity=0.9)] == ["near"]


def test_different_drawings_on_white_in_one_style_are_not_copies(folder, found):
    drawings = sorted(DRAWINGS.glob("*.png"))
    assert len(drawings) > 10
    for drawing in drawings:
        shutil.copy(drawing, folder)
    assert [(keep, others) for _, keep, others in found() if "heart" not in keep] == []


def test_what_was_painted_in_another_colour_is_no_copy(folder, photo, found):
    red, green, blue = photo(1).split()
    photo(1).save(folder / "a.png")
    Image.merge("RGB", (blue, red, green)).save(folder / "b.png")
    assert found() == []


def test_plain_pictures_are_copies_only_if_they_are_the_same_file(folder, found):
    for number, colour in enumerate(("white", "white", "black", "red")):
        Image.new("RGB", (64, 64), colour).save(folder / f"{number}.png")
    Image.new("RGB", (65, 64), "white").save(folder / "4.png")
    assert found() == [("same", "0.png", {"1.png"})]


@pytest.mark.option("DuplicateOptions.bin")
def test_copies_go_to_the_bin_as_far_as_the_options_say(folder, photo, found):
    photo(1).save(folder / "a.png")
    shutil.copy2(folder / "a.png", folder / "b.png")
    photo(1).resize((200, 200)).save(folder / "c.png")
    (folder / "c.txt").write_text("", encoding="utf-8")
    ImageOps.mirror(photo(1)).save(folder / "d.png")
    found()
    assert len(list(folder.iterdir())) == 5
    found(bin="same files")
    assert sorted(path.name for path in folder.iterdir()) == ["a.png", "c.png", "c.txt", "d.png"]
    found(bin="copies")
    assert sorted(path.name for path in folder.iterdir()) == ["a.png", "d.png"]
    assert found.result["binned"] == 1
    assert [(entry.file, entry.reason) for entry in binned(folder)] == [
        ("b.png", "a copy of a.png"), ("c.png", "a copy of a.png"),
    ]  # fmt: skip


@pytest.mark.option("DuplicateOptions.captions")
def test_captions_come_from_where_the_options_say(folder, photo, found):
    photo(1).save(folder / "a.png")
    shutil.copy(folder / "a.png", folder / "b.png")
    (folder / "b.txt").write_text("a macaw", encoding="utf-8")
    found(captions=CaptionOptions(source="prompt", prompt="a bird"))
    assert {each["caption"] for each in found.report["groups"][0]["pictures"]} == {"a bird"}


def test_damaged_files_are_left_out_and_the_rest_goes_on(folder, photo, found, run):
    photo(1).save(folder / "a.png")
    photo(1).resize((200, 200)).save(folder / "b.png")
    (folder / "c.png").write_bytes((folder / "a.png").read_bytes()[:2000])
    assert found() == [("near", "a.png", {"b.png"})]
    assert found.result["pictures"] == 2
    skipped, table = [event for event in run.events_after(0)[0] if isinstance(event, Table)]
    assert [row[0] for row in skipped.rows] == ["c.png"]
    assert table.rows == [["copies", "a.png", "the most detail", "b.png"]]


def test_small_copies_lie_in_the_runs_folder(folder, photo, found, run):
    photo(1).save(folder / "a.png")
    photo(1).resize((200, 200)).save(folder / "b.png")
    found()
    for picture in found.report["groups"][0]["pictures"]:
        assert Image.open(run.path / picture["thumb"]).format == "WEBP"


def test_a_run_that_is_asked_to_stop_writes_and_moves_nothing(folder, photo, run):
    photo(1).save(folder / "a.png")
    shutil.copy(folder / "a.png", folder / "b.png")
    run.request("stop")
    assert find_duplicates(DuplicateOptions(folder=folder, bin="copies"), run) == {}
    assert not (run.path / REPORT).exists()
    assert len(list(folder.iterdir())) == 2
