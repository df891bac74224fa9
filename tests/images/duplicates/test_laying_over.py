"""Laying two pictures over each other: known shifts and stretches are found, and what differs stays different."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.engine
np = pytest.importorskip("numpy")
pytest.importorskip("PIL")

from PIL import Image  # noqa: E402

from lib_trainer.images.duplicates.alignment import Pairs, likeness  # noqa: E402
from lib_trainer.images.duplicates.candidates import GUESSES, find_candidates  # noqa: E402
from lib_trainer.images.duplicates.fingerprints import (  # noqa: E402
    COLOUR_SIDE,
    FREQUENCIES,
    SIDE,
    WHOLE,
    Looks,
    Window,
    fingerprints,
    mirrored,
)
from lib_trainer.images.duplicates.linking import Sets, find_links  # noqa: E402


def scene(seed):
    """A picture of soft shapes [256, 256]."""
    noise = np.random.default_rng(seed).integers(0, 255, (16, 16), dtype=np.uint8)
    return Image.fromarray(noise).resize((256, 256), Image.Resampling.BICUBIC)


def square(image, box=None):
    return np.asarray((image.crop(box) if box else image).resize((SIDE, SIDE), Image.Resampling.BOX))


def looks(squares):
    """Of pictures without colour."""
    return Looks(np.stack(squares), np.full((len(squares), 2, COLOUR_SIDE, COLOUR_SIDE), 128, dtype=np.uint8))


def alike(first, second, frame=WHOLE, shown=WHOLE):
    frames = np.array([frame], dtype=np.float64)
    pairs = Pairs(looks([first]), looks([second]), frames, np.array([shown], dtype=np.float64))
    return float(likeness(pairs)[0])


@pytest.mark.parametrize("box", [(13, 0, 256, 256), (0, 20, 256, 236), (13, 13, 243, 243), (0, 0, 240, 246)])
def test_a_part_of_a_picture_is_found_in_it_from_a_rough_guess(box):
    assert alike(square(scene(1)), square(scene(1), box)) > 0.97
    assert alike(square(scene(1)), square(scene(2), box)) < 0.6


def test_more_light_and_less_contrast_change_nothing_and_a_negative_does():
    image = square(scene(3)).astype(np.float32)
    assert alike(image, image * 0.5 + 60) > 0.999
    assert alike(image, 255 - image) < 0.3


def test_what_lies_outside_of_the_part_that_is_shown_does_not_count():
    one, other = square(scene(4)).copy(), square(scene(4)).copy()
    other[SIDE // 2 :] = square(scene(5))[SIDE // 2 :]
    assert alike(one, other, shown=Window(0, 0, 1, 0.5)) == 0  # too little to say anything
    other[: SIDE * 3 // 4] = one[: SIDE * 3 // 4]
    assert alike(one, other, shown=Window(0, 0, 1, 0.75)) > 0.999
    assert alike(one, other) < 0.95


def test_two_plain_pictures_are_not_told_alike():
    plain = np.full((SIDE, SIDE), 200, dtype=np.uint8)
    assert alike(plain, plain) == 0


def test_fingerprints_are_the_cosine_transform_by_its_formula():
    """Against the sum written out (type II, https://en.wikipedia.org/wiki/Discrete_cosine_transform)."""
    image = square(scene(6)).astype(np.float64)
    n = np.arange(SIDE)
    expected = []
    for down in range(FREQUENCIES):
        for across in range(FREQUENCIES):
            wave = np.outer(np.cos(np.pi * (n + 0.5) * down / SIDE), np.cos(np.pi * (n + 0.5) * across / SIDE))
            expected.append((image * wave).sum() * np.hypot(down, across))
    expected = np.array(expected[1:]) / np.linalg.norm(expected[1:])
    assert np.allclose(fingerprints(image[None].astype(np.float32), WHOLE)[0], expected, atol=1e-4)


def test_mirroring_is_a_change_of_signs():
    image = square(scene(7)).astype(np.float32)[None]
    assert np.allclose(mirrored(fingerprints(image, WHOLE)), fingerprints(image[:, :, ::-1].copy(), WHOLE), atol=1e-5)


@pytest.mark.parametrize("guess", GUESSES)
def test_each_guess_finds_what_it_stands_for(guess):
    """The second picture is that part of the first one, or shares that part with it."""
    box = [round(edge * 256) for edge in guess.first]
    other = square(scene(8), box) if guess.second == WHOLE else square(scene(9)).copy()
    if guess.second != WHOLE:
        rows = slice(round(guess.second.top * SIDE), round(guess.second.bottom * SIDE))
        other[rows] = square(scene(8))[rows]
    squares = np.stack([square(scene(8)), other, square(scene(10))])
    candidates = find_candidates(squares, flips=False, on_progress=lambda done, total: None)
    assert {0, 1} in [{int(a), int(b)} for a, b in zip(candidates.first, candidates.second, strict=True)]
    links = find_links(looks(squares), candidates, 0.9, lambda done, total: None)
    assert [{link.first, link.second} for link in links] == [{0, 1}]


def test_every_pair_of_many_copies_need_not_be_looked_at_to_join_them():
    squares = np.stack([square(scene(number % 3)) for number in range(60)])
    candidates = find_candidates(squares, flips=True, on_progress=lambda done, total: None)
    links = find_links(looks(squares), candidates, 0.9, lambda done, total: None)
    assert len(links) == 57
    sets = Sets(60)
    for link in links:
        sets.join(link.first, link.second)
    assert {sets.of(number) == sets.of(number % 3) for number in range(60)} == {True}


@pytest.mark.parametrize(("copies", "bridges", "joined"), [(4, 1, False), (1, 1, True), (4, 3, True)])
def test_one_weak_likeness_joins_no_two_large_sets(copies, bridges, joined):
    chance = np.random.default_rng(3)
    fields = [np.kron(chance.standard_normal((32, 32)), np.ones((2, 2))) for _ in range(2)]

    def at(degrees):
        angle = np.radians(degrees)
        mixed = np.cos(angle) * fields[0] + np.sin(angle) * fields[1]
        return np.clip(128 + 30 * mixed, 0, 255).astype(np.uint8)

    # From one set to the other: each is like its neighbours, and only those in the middle are like each other, weakly.
    one, first, second, other = 0, 19, 42, 61
    assert 0.9 <= alike(at(first), at(second)) < 0.95 <= alike(at(one), at(first))
    assert alike(at(one), at(second)) < 0.9
    degrees = [one] * copies + [first] * bridges + [second] * bridges + [other] * copies
    squares = np.stack([at(each) for each in degrees])
    candidates = find_candidates(squares, flips=False, on_progress=lambda done, total: None)
    links = find_links(looks(squares), candidates, 0.9, lambda done, total: None)
    half = copies + bridges
    assert any((link.first < half) != (link.second < half) for link in links) == joined
    assert len(links) == 2 * half - 2 + joined
