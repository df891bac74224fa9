"""Holes in pictures for inpainting models."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.dataset.cache import LatentCache, View  # noqa: E402
from lib_trainer.dataset.holes import around_hole, hole_of, with_holes  # noqa: E402

VIEW = View(Path("a.png"), "0" * 64, (96, 64), (0, 0, 96, 64))


def test_a_hole_follows_from_the_picture_and_its_number_alone():
    one, two = with_holes(VIEW, 2)
    assert (one.hole, two.hole) == (1, 2)
    elsewhere = View(Path("other/b.png"), "0" * 64, (96, 64), (0, 0, 96, 64), hole=1)
    assert torch.equal(hole_of(one), hole_of(elsewhere)) and not torch.equal(hole_of(one), hole_of(two))
    others = [with_holes(VIEW.mirror(), 1)[0], View(Path("a.png"), "1" * 64, (96, 64), (0, 0, 96, 64), hole=1)]
    assert all(not torch.equal(hole_of(one), hole_of(other)) for other in others)


def test_holes_are_boxes_and_strokes_that_leave_something_and_take_something():
    holes = [hole_of(view) for view in with_holes(VIEW, 60)]
    assert all(hole.shape == (64, 96) and set(hole.unique().tolist()) == {0.0, 1.0} for hole in holes)
    shares = [float(hole.mean()) for hole in holes]
    assert min(shares) > 0.02 and max(shares) > 0.4 and 0.15 < sum(shares) / 60 < 0.5
    # Boxes alone have edges along the sides: each of their rows is one of few.
    boxes = [hole for hole in holes if len({tuple(row) for row in hole.tolist()}) <= 7]
    assert 15 < len(boxes) < 45


def test_the_cache_tells_holes_apart_and_knows_plain_views_under_their_old_keys(tmp_path):
    cache = LatentCache(tmp_path, ("vae",), False, print)
    keys = {cache.key(view) for view in (VIEW, *with_holes(VIEW, 2), *with_holes(VIEW.mirror(), 1))}
    assert len(keys) == 4
    assert cache.key(VIEW) == "2b522db10e94c1af2ec4e20f61d445af5c7413aa4e0524583608fa1ad05e9216"


def test_the_mask_is_taken_at_each_places_first_pixel():
    hole = torch.zeros(16, 32)
    hole[8, 16:] = 1
    hole[1:8, :] = 1  # between the places
    around = around_hole(hole, torch.full((4, 2, 4), 7.0))
    assert around.shape == (5, 2, 4) and (around[1:] == 7).all()
    assert around[0].tolist() == [[0, 0, 0, 0], [0, 0, 1, 1]]
