"""What the doctor measures tells sharp from blurred, plain from noisy, and finds bars, letters and marks."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.engine
np = pytest.importorskip("numpy")
pytest.importorskip("PIL")

from PIL import Image, ImageFilter  # noqa: E402

sys.path.append(str(Path(__file__).parent))
from pictures_of_things import in_bars, scene, with_caption_bar, with_logo  # noqa: E402

from lib_trainer.images.doctor.backgrounds import rim_of, same_backgrounds  # noqa: E402
from lib_trainer.images.doctor.borders import borders  # noqa: E402
from lib_trainer.images.doctor.examining import examine  # noqa: E402
from lib_trainer.images.doctor.lettering import lettering  # noqa: E402
from lib_trainer.images.doctor.noise import noise  # noqa: E402
from lib_trainer.images.doctor.overlays import find_mark, small_copy  # noqa: E402
from lib_trainer.images.doctor.picture_checks import LETTERS, NOISY, SOFT  # noqa: E402
from lib_trainer.images.doctor.sharpness import sharpness  # noqa: E402

SEEDS = range(3)


def plane(image):
    return np.asarray(image.convert("L"), dtype=np.float32)


def grainy(image, strength, seed=0):
    grain = np.random.default_rng(seed).normal(0, strength, (image.height, image.width, 1))
    return Image.fromarray((np.asarray(image) + grain).clip(0, 255).round().astype(np.uint8))


@pytest.mark.parametrize("seed", SEEDS)
def test_sharp_is_above_the_limit_and_blurred_below(seed):
    image = scene(seed)
    assert sharpness(plane(image), 0) > SOFT
    assert sharpness(plane(image.filter(ImageFilter.GaussianBlur(2))), 0) < SOFT


def test_a_faint_picture_is_as_sharp_as_a_strong_one():
    image = plane(scene(1))
    assert sharpness(128 + (image - 128) / 4, 0) == pytest.approx(sharpness(image, 0), rel=0.15)


def test_a_sharp_thing_before_a_blurred_ground_is_sharp():
    image = scene(2)
    soft = image.filter(ImageFilter.GaussianBlur(6))
    soft.paste(image.crop((80, 80, 176, 176)), (80, 80))
    assert sharpness(plane(soft), 0) > SOFT


def test_a_picture_that_was_shaken_sideways_is_soft():
    image = plane(scene(3))
    shaken = sum(np.roll(image, shift, axis=1) for shift in range(9)) / 9
    assert sharpness(shaken, 0) < SOFT < sharpness(image, 0)


def test_grain_does_not_make_a_blurred_picture_sharp():
    image = grainy(scene(4).filter(ImageFilter.GaussianBlur(3)), 5)
    assert noise(plane(image)) == pytest.approx(5, rel=0.15)
    assert sharpness(plane(image), 0) > SOFT > sharpness(plane(image), noise(plane(image)))


def test_a_plain_picture_is_neither_sharp_nor_soft():
    assert sharpness(np.full((256, 256), 90, dtype=np.float32), 0) is None


@pytest.mark.parametrize("strength", [6, 10, 16])
def test_noise_is_told_in_grey_levels(strength):
    found = noise(plane(grainy(scene(5), strength)))
    assert found == pytest.approx(strength, rel=0.15)
    assert found > NOISY > noise(plane(scene(5)))


def test_noise_is_not_looked_for_where_it_is_clipped():
    assert noise(plane(grainy(Image.new("RGB", (256, 256), "white"), 10))) == 0


@pytest.mark.parametrize("colour", ["black", "white", "#406080"])
def test_bars_are_measured_and_a_picture_without_has_none(colour):
    left, top, right, bottom = borders(plane(in_bars(scene(1), 0.125, colour)))
    assert (top, bottom) == pytest.approx((0.1, 0.1), abs=0.01)  # 32 of 320 lines each
    assert (left, right) == (0, 0)
    assert borders(plane(scene(1))) == (0, 0, 0, 0)


def test_bars_at_the_sides_are_found_through_jpeg(tmp_path):
    turned = in_bars(scene(2), 0.125, "black").rotate(90, expand=True)
    turned.save(tmp_path / "a.jpg", quality=50)
    left, top, right, bottom = borders(plane(Image.open(tmp_path / "a.jpg")))
    assert (left, right) == pytest.approx((0.1, 0.1), abs=0.03)
    assert (top, bottom) == (0, 0)


def test_a_sky_that_grows_darker_is_no_border():
    image = np.repeat(np.linspace(40, 200, 128, dtype=np.float32)[:, None], 128, axis=1).round()
    assert borders(image) == (0, 0, 0, 0)


def test_a_thing_on_a_plain_ground_has_no_borders():
    image = Image.new("RGB", (256, 256), "white")
    image.paste("red", (100, 60, 150, 200))
    assert borders(plane(image)) == (0, 0, 0, 0)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_line_of_letters_is_found_and_shapes_are_not(seed):
    image = scene(seed, (512, 512))
    assert lettering(plane(image)) < LETTERS <= lettering(plane(with_caption_bar(image)))


def test_a_mark_at_the_same_place_is_found_with_those_that_bear_it():
    images = [scene(seed) for seed in range(16)]
    assert find_mark([small_copy(image) for image in images]) is None
    bearing = [number for number in range(16) if number % 3]
    copies = [small_copy(with_logo(image) if number in bearing else image) for number, image in enumerate(images)]
    mark = find_mark(copies)
    assert set(mark.pictures) <= set(bearing)
    assert len(mark.pictures) >= 0.9 * len(bearing)
    left, _, _, bottom = mark.place
    assert left >= 0.7
    assert bottom <= 0.3


def test_the_same_picture_again_and_again_is_no_mark():
    assert find_mark([small_copy(scene(0))] * 12) is None


def test_pictures_before_one_background_are_grouped():
    ground, other = scene(7), scene(8)
    images = []
    for number in range(5):
        image = (ground if number != 2 else other).copy()
        image.paste(("red", "green", "blue", "navy", "gold")[number], (100, 100, 160, 180))
        images.append(image)
    assert same_backgrounds([rim_of(image) for image in images]) == [[0, 1, 3, 4], [2]]


def test_what_the_file_tells_is_told_too(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    scene(0, (128, 64)).save(tmp_path / "turned.jpg", exif=exif)
    clear = scene(0, (64, 64)).convert("RGBA")
    clear.paste((0, 0, 0, 0), (0, 0, 64, 16))
    clear.save(tmp_path / "clear.png")
    turned = examine(tmp_path / "turned.jpg", "white", 64)
    assert (turned.size, turned.turned, turned.clear) == ((64, 128), True, 0)
    seen = examine(tmp_path / "clear.png", "white", 64)
    assert (seen.size, seen.turned, seen.clear) == ((64, 64), False, 0.25)
