"""How much of its subject a focal crop keeps, against boxes drawn by hand, and what a crop of the middle keeps.

    CROP_PHOTOS=.../shared/data python -m pytest tests/images/crops/test_focal_cover.py -s

prints a line for each photo. The photos are not ours to ship: without that folder only the demo's pictures are tried.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytestmark = pytest.mark.engine
pytest.importorskip("PIL")
pytest.importorskip("cv2")

from lib_trainer.core.run_directory import RunDirectory  # noqa: E402
from lib_trainer.images.copies import Sizing  # noqa: E402
from lib_trainer.images.crops.planning import plan_pictures  # noqa: E402
from lib_trainer.images.options import PictureOptions  # noqa: E402
from lib_trainer.images.pictures import Picture, PictureFolder  # noqa: E402
from lib_trainer.images.pixels import open_picture  # noqa: E402

PHOTOS = os.environ.get("CROP_PHOTOS", "")
DEMO = Path(__file__).parents[3] / "lib_trainer" / "demo" / "pictures" / "subject-macaw"
SQUARE, TALL = (512, 512), (512, 768)
ENOUGH = 0.9
CUT_AT = 0.9  # of what lies beside the subject, where a photo is cut to have it at its side

# Left, top, right and bottom of the whole subject, as shares of the photo; drawn before any crop was looked at.
BOXES = {
    "captioned-cat/01.jpg": (0.13, 0.42, 0.54, 0.93),
    "captioned-cat/03.jpg": (0.17, 0.03, 0.87, 0.85),
    "captioned-cat/05.jpg": (0.04, 0.22, 0.83, 0.90),
    "captioned-cat/06.jpg": (0.28, 0.47, 0.58, 0.80),
    "captioned-cat/07.jpg": (0.20, 0.38, 0.47, 0.63),
    "captioned-cat/09.jpg": (0.13, 0.20, 0.48, 0.71),
    "captioned-cat/11.jpg": (0.37, 0.12, 0.70, 0.98),
    "captioned-cat/12.jpg": (0.05, 0.22, 0.85, 0.98),
    "captioned-cat/15.jpg": (0.16, 0.10, 0.80, 0.97),
    "dreambooth/backpack/00.jpg": (0.32, 0.05, 0.75, 0.78),
    "dreambooth/backpack/01.jpg": (0.33, 0.15, 0.73, 0.70),
    "dreambooth/backpack/03.jpg": (0.44, 0.05, 1.00, 0.80),
    "dreambooth/backpack/04.jpg": (0.28, 0.12, 0.60, 0.82),
    "dreambooth/backpack/05.jpg": (0.15, 0.10, 0.67, 0.93),
    "dreambooth/cat2/03.jpg": (0.26, 0.03, 0.86, 0.97),
    "dreambooth/cat2/04.jpg": (0.25, 0.15, 0.83, 0.82),
    "dreambooth/clock/00.jpg": (0.31, 0.38, 0.53, 0.62),
    "dreambooth/clock/02.jpg": (0.30, 0.24, 0.82, 0.82),
    "dreambooth/clock/04.jpg": (0.20, 0.10, 0.79, 0.92),
    "dreambooth/clock/05.jpg": (0.37, 0.41, 0.72, 0.86),
    "dreambooth/dog/01.jpg": (0.22, 0.12, 0.86, 0.97),
    "dreambooth/dog/04.jpg": (0.27, 0.02, 0.96, 1.00),
    "dreambooth/dog8/01.jpg": (0.37, 0.18, 0.75, 0.87),
    "dreambooth/dog8/04.jpg": (0.27, 0.02, 0.78, 0.97),
    "dreambooth/duck_toy/03.jpg": (0.32, 0.40, 0.70, 0.74),
}
MACAWS = {
    "macaw-1.png": (0.28, 0.04, 0.77, 0.96),
    "macaw-2.png": (0.24, 0.13, 0.66, 0.90),
    "macaw-5.png": (0.20, 0.21, 0.64, 0.86),
}


def beside(name, picture, box):
    """The picture cut so that its subject lies at the left, the right, the top and the bottom."""
    left, top, right, bottom = box
    for side, kept in (
        ("left", (CUT_AT * left, 0, 1, 1)),
        ("right", (0, 0, 1 - CUT_AT * (1 - right), 1)),
        ("top", (0, CUT_AT * top, 1, 1)),
        ("bottom", (0, 0, 1, 1 - CUT_AT * (1 - bottom))),
    ):
        wide, high = kept[2] - kept[0], kept[3] - kept[1]
        edges = [round(edge * whole) for edge, whole in zip(kept, picture.size * 2, strict=True)]
        moved = ((left - kept[0]) / wide, (top - kept[1]) / high, (right - kept[0]) / wide, (bottom - kept[1]) / high)
        yield f"{Path(name).with_suffix('')}-{side}.png", picture.crop(edges), moved


def kept(box, crop, size):
    """Which share of a box is inside a crop."""
    inside = [edge / whole for edge, whole in zip(crop, size * 2, strict=True)]
    across = max(0, min(box[2], inside[2]) - max(box[0], inside[0])) / (box[2] - box[0])
    down = max(0, min(box[3], inside[3]) - max(box[1], inside[1])) / (box[3] - box[1])
    return across * down


def covers(folder, boxes, target, run):
    """For each picture that loses something: its name, what the focal crop keeps, and what the middle keeps."""
    found, sizes = PictureFolder(folder), {}
    for name in boxes:
        sizes[name] = open_picture(folder / name, "white").size
        found.pictures.append(Picture(folder / name, *sizes[name], "", "none"))
    plans = {}
    for crop in ("focal", "centre"):
        options = PictureOptions(folder=folder, resize="exact", width=target[0], height=target[1], crop=crop)
        plans[crop] = plan_pictures(found, Sizing.of(options), {}, run).of
    told = []
    for name, box in boxes.items():
        parts = [plans[crop][folder / name][0].part(*sizes[name]) for crop in ("focal", "centre")]
        area = (parts[1][2] - parts[1][0]) * (parts[1][3] - parts[1][1])
        if area < 0.98 * sizes[name][0] * sizes[name][1]:
            told.append((name, *(kept(box, part, sizes[name]) for part in parts)))
    return told


def mean(values):
    return sum(values) / len(values)


def tell(title, told):
    for name, focal, centre in told:
        print(f"{name:34} focal {focal:.3f}  centre {centre:.3f}")
    focal, centre = (mean([entry[place] for entry in told]) for place in (1, 2))
    print(f"{title}: {len(told)} pictures lose something; mean cover of the subject {focal:.3f}, centred {centre:.3f}")
    return focal, centre


@pytest.fixture
def run(tmp_path):
    run = RunDirectory(tmp_path / "run")
    run.create("inspect", {})
    return run


@pytest.mark.skipif(not PHOTOS, reason="CROP_PHOTOS names no folder of photos")
@pytest.mark.parametrize("target", [SQUARE, TALL], ids=["square", "2:3"])
def test_focal_crops_of_25_photos_keep_their_subjects(run, target):
    assert len(BOXES) == 25
    focal, centre = tell(f"As they are, {target[0]} x {target[1]}", covers(Path(PHOTOS), BOXES, target, run))
    assert focal >= ENOUGH
    assert focal >= centre


def at_the_side(folder, boxes, output):
    """Boxes of the same pictures cut so that their subjects lie at each side of them, written into a folder."""
    moved_boxes = {}
    for name, box in boxes.items():
        for other, part, moved in beside(name, open_picture(folder / name, "white"), box):
            (output / other).parent.mkdir(parents=True, exist_ok=True)
            part.save(output / other, compress_level=1)
            moved_boxes[other] = moved
    return moved_boxes


@pytest.mark.skipif(not PHOTOS, reason="CROP_PHOTOS names no folder of photos")
@pytest.mark.parametrize("target", [SQUARE, TALL], ids=["square", "2:3"])
def test_focal_crops_of_photos_keep_subjects_that_lie_at_a_side(run, tmp_path, target):
    boxes = at_the_side(Path(PHOTOS), BOXES, tmp_path / "cut")
    focal, centre = tell(f"At a side, {target[0]} x {target[1]}", covers(tmp_path / "cut", boxes, target, run))
    assert focal >= ENOUGH
    assert focal > centre


@pytest.mark.option("PrepareOptions.crop", "InspectOptions.crop")
def test_focal_crops_of_the_demos_pictures_keep_subjects_that_the_middle_loses(run, tmp_path):
    boxes = at_the_side(DEMO, MACAWS, tmp_path / "cut")
    focal, centre = tell("The demo's", covers(tmp_path / "cut", boxes, (256, 512), run))
    assert focal >= 0.97
    assert centre < 0.9
