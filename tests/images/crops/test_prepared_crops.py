from __future__ import annotations

import json
from dataclasses import replace

import pytest

from lib_trainer.core.errors import DataError
from lib_trainer.core.events import Notice
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.images.crops.drawn import CROPS_FILE, DrawnBox, write_boxes
from lib_trainer.images.options import BucketOptions, CaptionOptions, InspectOptions, PrepareOptions

pytestmark = pytest.mark.engine
pytest.importorskip("PIL")
pytest.importorskip("cv2")

import numpy as np  # noqa: E402
from PIL import Image, ImageDraw  # noqa: E402

from lib_trainer.images.folder import scan  # noqa: E402
from lib_trainer.images.inspect import inspect  # noqa: E402
from lib_trainer.images.prepare import prepare  # noqa: E402

RED, BLUE = (255, 0, 0), (0, 0, 255)


@pytest.fixture
def options(tmp_path):
    (tmp_path / "photos").mkdir()
    buckets = BucketOptions(resolution=64, step=8, square=True)
    return PrepareOptions(folder=tmp_path / "photos", output=tmp_path / "out", buckets=buckets)


def thing_at_the_right(path, size=(200, 100)):
    """A red disc near the right end of a calm picture."""
    picture = Image.linear_gradient("L").resize(size).convert("RGB")
    wide, high = size
    ImageDraw.Draw(picture).ellipse((wide - 0.75 * high, 0.2 * high, wide - 0.15 * high, 0.8 * high), fill=RED)
    picture.save(path)


def halves(path, size=(200, 100)):
    """Red on the left, blue on the right."""
    picture = Image.new("RGB", size, RED)
    picture.paste(BLUE, (size[0] // 2, 0, *size))
    picture.save(path)


def listed(options, run):
    """What `inspect` tells of the same pictures with the same options."""
    names = ("folder", "resize", "crop", "boxes", "split", "width", "height", "buckets")
    inspect(InspectOptions(**{name: getattr(options, name) for name in names}), run)
    return json.loads((run.path / "listing.json").read_text(encoding="utf-8"))["pictures"]


def red_share(path):
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"))
    return float(((pixels[..., 0] > 200) & (pixels[..., 1] < 60)).mean())


def notices(run):
    return [event.message for event in run.events_after(0)[0] if isinstance(event, Notice)]


@pytest.mark.option("PrepareOptions.crop", "InspectOptions.crop")
def test_a_focal_crop_holds_what_a_crop_of_the_middle_cuts(options, run):
    thing_at_the_right(options.folder / "a.png")
    prepare(options, run)
    centred = red_share(options.output / "a.png")
    prepare(replace(options, crop="focal"), run)
    focal = red_share(options.output / "a.png")
    assert centred < 0.15 < 0.25 < focal
    (told,) = listed(replace(options, crop="focal"), run)
    assert told["target"] == [64, 64]
    assert told["crop"][0] > 90
    assert told["crop"][2] - told["crop"][0] == pytest.approx(100, abs=1)


def test_a_focal_crop_that_cuts_nothing_is_the_same_to_the_bit(options, run, tmp_path):
    halves(options.folder / "a.png", (128, 128))
    prepare(options, run)
    before = (options.output / "a.png").read_bytes()
    assert prepare(replace(options, crop="focal"), run)["kept"] == 1
    prepare(replace(options, crop="focal", output=tmp_path / "other"), run)
    assert (tmp_path / "other" / "a.png").read_bytes() == before


@pytest.mark.option("PrepareOptions.boxes", "InspectOptions.boxes")
@pytest.mark.parametrize("crop", ["centre", "focal", "pad", "none"])
def test_a_drawn_box_goes_before_everything_else_unless_boxes_are_left_alone(options, run, crop):
    halves(options.folder / "a.png")
    write_boxes(options.folder, {"a.png": DrawnBox((200, 100), (0, 0, 80, 80))})
    options = replace(options, crop=crop, split=1.5)
    assert listed(options, run)[0]["crop"] == [0, 0, 80, 80]
    prepare(options, run)
    assert red_share(options.output / "a.png") == 1
    unused = replace(options, boxes=False)
    assert listed(unused, run)[0]["crop"] != [0, 0, 80, 80]


def test_a_box_of_another_shape_is_cut_to_the_shape_that_is_wanted(options, run):
    halves(options.folder / "a.png")
    write_boxes(options.folder, {"a.png": DrawnBox((200, 100), (20, 10, 120, 60))})
    (told,) = listed(options, run)
    assert (told["crop"], told["target"]) == ([45, 10, 95, 60], [64, 64])


def test_a_box_of_a_picture_that_changed_its_size_is_not_used_and_said(options, run):
    halves(options.folder / "a.png")
    write_boxes(options.folder, {"a.png": DrawnBox((100, 50), (0, 0, 50, 50))})
    assert listed(options, run)[0]["crop"] == [50, 0, 150, 100]
    assert any("a.png" in message and "another size" in message for message in notices(run))


def test_a_damaged_file_of_boxes_ends_it_before_anything_is_written(options, run):
    halves(options.folder / "a.png")
    (options.folder / CROPS_FILE).write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match=CROPS_FILE):
        prepare(options, run)
    assert not options.output.exists()
    prepare(replace(options, boxes=False), run)


@pytest.mark.option("PrepareOptions.split", "InspectOptions.split")
def test_a_long_picture_becomes_several_copies_with_its_caption(options, run):
    halves(options.folder / "a.png", (300, 100))
    halves(options.folder / "b.png", (100, 100))
    (options.folder / "a.txt").write_text("two halves", encoding="utf-8")
    options = replace(options, split=2.0)
    result = prepare(options, run)
    assert (result["pictures"], result["made"]) == (3, 3)
    assert sorted(path.name for path in options.output.glob("*.png")) == ["a-1.png", "a-2.png", "b.png"]
    assert [(options.output / f"a-{n}.txt").read_text(encoding="utf-8") for n in (1, 2)] == ["two halves"] * 2
    assert red_share(options.output / "a-1.png") > 0.9
    assert red_share(options.output / "a-2.png") < 0.1
    assert prepare(options, run)["kept"] == 3
    whole, _ = listed(replace(options, buckets=BucketOptions(resolution=64, step=8)), run)
    assert [piece["crop"][0] for piece in whole["pieces"]] == pytest.approx([0, 133], abs=8)
    assert not any("cropped away" in warning for warning in whole["warnings"])


def test_pieces_take_no_other_pictures_name(options, run):
    halves(options.folder / "a.png", (300, 100))
    halves(options.folder / "a-1.png", (100, 100))
    prepare(replace(options, split=2.0), run)
    assert sorted(path.name for path in options.output.glob("*.png")) == ["a-1.png", "a-2.png", "a-png-1.png"]


@pytest.mark.option("PrepareOptions.crop")
@pytest.mark.parametrize("resize", ["buckets", "shortest", "exact"])
def test_padding_shows_all_of_the_picture_and_its_mask_is_black_where_it_was_filled_up(options, run, resize):
    halves(options.folder / "a.png")
    options = replace(options, resize=resize, crop="pad", width=64, height=64, background="white")
    options = options if resize == "buckets" else replace(options, buckets=BucketOptions(resolution=64, step=8))
    result = prepare(options, run)
    assert result["masks"] == str(options.output.with_name("out-masks"))
    masks = options.output.with_name("out-masks")
    with Image.open(options.output / "a.png") as copy, Image.open(masks / "a.png") as mask:
        assert copy.size == mask.size == (64, 64)
        rows = [(copy.getpixel((5, y)), copy.getpixel((60, y)), mask.getpixel((5, y))) for y in (0, 15, 16, 47, 48, 63)]
    white = ((255, 255, 255), (255, 255, 255), 0)
    assert rows == [white, white, (RED, BLUE, 255), (RED, BLUE, 255), white, white]


def test_training_takes_the_masks_of_padded_copies(options, run):
    from lib_trainer.dataset.mask_options import MaskOptions
    from lib_trainer.dataset.masks import find_masks
    from lib_trainer.dataset.options import DatasetOptions

    halves(options.folder / "a.png")
    (options.folder / "inside").mkdir()
    halves(options.folder / "inside" / "b.jpg", (100, 100))
    result = prepare(replace(options, crop="pad", format="jpeg"), run)
    told = DatasetOptions(folder=options.output, masks=MaskOptions(folder=options.output.with_name("out-masks")))
    pictures = scan(options.output, CaptionOptions()).pictures
    found = find_masks(pictures, told)
    assert len(found.files) == len(pictures) == result["pictures"] == 2
    assert found.notices == []


def test_masks_that_somebody_painted_on_stay_and_lost_ones_come_back(options, run):
    for name in "abc":
        halves(options.folder / f"{name}.png")
    options = replace(options, crop="pad")
    prepare(options, run)
    masks = options.output.with_name("out-masks")
    Image.new("L", (64, 64), 7).save(masks / "a.png")
    (masks / "b.png").unlink()
    painted, whole = (masks / "a.png").read_bytes(), (masks / "c.png").read_bytes()
    prepare(replace(options, background="red"), run)
    assert (masks / "a.png").read_bytes() == painted
    assert (masks / "b.png").read_bytes() == (masks / "c.png").read_bytes() == whole
    assert any("masks" in message and "a.png" in message for message in notices(run))


def test_masks_may_not_go_into_the_folder_of_the_originals(options, run, tmp_path):
    folder = tmp_path / "out-masks"
    folder.mkdir()
    halves(folder / "a.png")
    with pytest.raises(DataError, match="masks would go to"):
        prepare(replace(options, folder=folder, crop="pad"), run)
    prepare(replace(options, folder=folder), run)


def test_a_stop_while_the_focus_is_looked_for_writes_nothing(options, run, monkeypatch):
    for number in range(3):
        thing_at_the_right(options.folder / f"{number}.png")
    asked = iter([False] * 4)
    monkeypatch.setattr(RunDirectory, "stop_requested", lambda self: next(asked, True))
    assert prepare(replace(options, crop="focal"), run)["pictures"] == 0
    assert not options.output.exists()


def test_a_run_names_the_copies_that_it_made_and_none_that_it_kept(options, run):
    for name in "ab":
        halves(options.folder / f"{name}.png")
    prepare(options, run)
    made = json.loads((run.path / "copies.json").read_text(encoding="utf-8"))
    assert made == {"folder": str(options.output), "files": ["a.png", "b.png"]}
    (options.output / "b.png").unlink()
    prepare(options, run)
    assert json.loads((run.path / "copies.json").read_text(encoding="utf-8"))["files"] == ["b.png"]
