from __future__ import annotations

import itertools

import pytest

pytestmark = pytest.mark.engine
pytest.importorskip("PIL")
pytest.importorskip("cv2")

import numpy as np  # noqa: E402
from PIL import Image, ImageDraw, ImageFilter  # noqa: E402

from lib_trainer.images.crops.faces import FaceFinder  # noqa: E402
from lib_trainer.images.crops.focus import PARTS, WHOLE, find_focus, place  # noqa: E402
from lib_trainer.images.crops.known_focus import KnownFocus  # noqa: E402
from lib_trainer.images.crops.salience import barrier_distance, salience  # noqa: E402


def scene(size=(300, 100), subject=None, colour="red"):
    """A calm background with something on it."""
    picture = Image.linear_gradient("L").resize(size).convert("RGB")
    if subject is not None:
        ImageDraw.Draw(picture).ellipse(subject, fill=colour)
    return picture


def portrait(middle, radius, size=(400, 300)):
    """A drawn face that OpenCV takes for one."""
    picture = Image.new("RGB", size, (90, 110, 130))
    draw = ImageDraw.Draw(picture)

    def oval(x, y, wide, high, colour):
        across, down = middle
        edges = across + (x - wide) * radius, down + (y - high) * radius, across + (x + wide) * radius
        draw.ellipse((*edges, down + (y + high) * radius), fill=colour)

    oval(0, 0, 1, 1.3, (224, 180, 150))
    oval(0, -1.05, 1, 0.45, (60, 40, 30))
    for side in (-0.4, 0.4):
        for y, wide, high, colour in (
            (-0.28, 0.27, 0.10, (120, 80, 60)),
            (-0.22, 0.24, 0.13, (130, 90, 70)),
            (-0.20, 0.18, 0.08, (245, 245, 245)),
            (-0.20, 0.09, 0.09, (30, 20, 10)),
            (-0.42, 0.28, 0.06, (50, 30, 20)),
        ):
            oval(side, y, wide, high, colour)
    for y, wide, high, colour in (
        (0.15, 0.14, 0.30, (240, 200, 175)),
        (0.35, 0.20, 0.07, (150, 100, 80)),
        (0.68, 0.38, 0.12, (150, 50, 50)),
        (0.66, 0.30, 0.03, (90, 20, 20)),
    ):
        oval(0, y, wide, high, colour)
    return picture.filter(ImageFilter.GaussianBlur(radius / 25))


def middle_of(parts):
    return sum((number + 0.5) * part for number, part in enumerate(parts)) / sum(parts) / len(parts)


def slow_barrier_distance(grey):
    """The same by its definition: of all ways through the pixels, each tried, the least span of values."""
    best = np.full(grey.shape, np.inf)
    levels = np.unique(grey)
    for low, high in itertools.combinations_with_replacement(levels, 2):
        allowed = (grey >= low) & (grey <= high)
        reached = allowed.copy()
        reached[1:-1, 1:-1] = False
        while True:
            grown = reached.copy()
            grown[1:] |= reached[:-1]
            grown[:-1] |= reached[1:]
            grown[:, 1:] |= reached[:, :-1]
            grown[:, :-1] |= reached[:, 1:]
            grown &= allowed
            if (grown == reached).all():
                break
            reached = grown
        best[reached] = np.minimum(best[reached], high - low)
    return best


def test_the_distance_to_the_edges_is_the_least_span_of_values_on_a_way_there():
    for seed in range(4):
        grey = np.random.default_rng(seed).integers(0, 6, (9, 7)).astype(np.float64)
        found, true = barrier_distance(grey), slow_barrier_distance(grey)
        assert (found >= true).all()  # the quick one never claims a way that there is not
        assert (found == true).mean() > 0.9
    ring = np.zeros((9, 9))
    ring[2:7, 2:7] = 5
    ring[4, 4] = 1
    assert barrier_distance(ring)[4, 4] == 5
    assert barrier_distance(ring)[0, 0] == 0


def test_what_stands_out_is_where_the_thing_is():
    told = salience(scene(subject=(200, 20, 260, 80)))
    assert told.shape == (32, 96)
    across = np.average(np.arange(96), weights=told.sum(axis=0)) / 96
    assert 0.65 < across < 0.84


def test_plain_bars_at_the_edges_do_not_count():
    picture = Image.new("RGB", (300, 200), "black")
    picture.paste(scene((300, 100), (20, 20, 80, 80)), (0, 50))
    told = salience(picture)
    assert told[:15].max() == 0
    assert told[-15:].max() == 0
    assert told[16:-16].max() > 0.25


@pytest.mark.parametrize("colour", ["white", "black", "#707070"])
def test_an_empty_picture_has_its_focus_in_its_middle(colour):
    focus = find_focus(Image.new("RGB", (300, 100), colour), FaceFinder())
    assert len(focus.columns) == len(focus.rows) == PARTS
    assert sum(focus.columns) == pytest.approx(WHOLE, abs=PARTS)
    assert middle_of(focus.columns) == pytest.approx(0.5, abs=0.01)
    assert place(focus.columns, 300, (0, 300), 100) == pytest.approx(100, abs=2)


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 2), (3, 3)])
def test_very_small_and_very_thin_pictures_have_a_focus_too(size):
    focus = find_focus(Image.new("RGB", size, "red"), FaceFinder())
    assert sum(focus.columns) == pytest.approx(WHOLE, abs=PARTS)


def test_faces_count_for_more_than_what_stands_out():
    picture = portrait((300, 150), 50)
    ImageDraw.Draw(picture).rectangle((20, 40, 110, 260), fill=(255, 240, 0))
    (left, top, right, bottom), *_ = FaceFinder().find(picture)
    assert left * 400 < 290 < right * 400
    assert top * 300 < 150 < bottom * 300
    with_face = find_focus(picture, FaceFinder())
    assert place(with_face.columns, 400, (0, 400), 150) > 190
    nobody = type("Nobody", (), {"find": lambda self, picture: []})()
    assert middle_of(find_focus(picture, nobody).columns) < middle_of(with_face.columns)


def test_no_face_is_found_where_there_is_none():
    assert FaceFinder().find(scene(subject=(200, 20, 260, 80))) == []


@pytest.mark.parametrize(
    ("parts", "expected"), [((1, 0, 0, 0), 0), ((0, 0, 0, 1), 300), ((0, 1, 1, 0), 150), ((1, 1, 1, 1), 150)]
)
def test_a_window_goes_where_it_holds_most(parts, expected):
    """Four parts of 100 pixels each; a window of one part for the ends, and places that are alike good on its way."""
    assert place(parts, 400, (0, 400), 100) == pytest.approx(expected, abs=2)


def test_a_window_stays_between_its_edges():
    assert place((0, 0, 0, 1), 400, (50, 350), 100) == pytest.approx(250, abs=2)
    assert place((0, 0, 0, 1), 400, (50, 150), 100) == 50


def test_a_focus_is_remembered_until_its_picture_changes(tmp_path, monkeypatch):
    import os

    from lib_trainer.images.crops import known_focus

    looked = []
    find = known_focus.find_focus
    monkeypatch.setattr(known_focus, "find_focus", lambda *told: looked.append(1) or find(*told))
    picture = tmp_path / "a.png"
    scene(subject=(200, 20, 260, 80)).save(picture)
    os.utime(picture, (1_000_000_000, 1_000_000_000))

    def focus():
        known = KnownFocus(tmp_path / "cache", tmp_path, "white")
        told = known.of(picture)
        known.save([picture])
        return told

    first = focus()
    assert focus() == first
    assert len(looked) == 1
    scene(subject=(20, 20, 80, 80)).save(picture)
    os.utime(picture, (1_000_000_001, 1_000_000_001))
    assert middle_of(focus().columns) < 0.5 < middle_of(first.columns)
    assert len(looked) == 2
    (index,) = (tmp_path / "cache" / "focus").iterdir()
    index.write_text('{"version": 1, "pictures": {"a": [1]}}', encoding="utf-8")
    focus()
    assert len(looked) == 3
