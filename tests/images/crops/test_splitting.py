from __future__ import annotations

import itertools

import pytest

from lib_trainer.images.crops.splitting import OVERLAP, pieces


@pytest.mark.parametrize("size", [(100, 100), (200, 100), (100, 200)])
def test_what_is_not_too_long_stays_whole(size):
    assert pieces(*size, 2.0) == [(0, 0, *size)]
    assert pieces(*size, None) == [(0, 0, *size)]


def test_a_long_picture_is_cut_by_hand_counted_numbers():
    """300 x 100 at most twice as long: two pieces of at most 200, which overlap by a fifth, are 167 long."""
    assert pieces(300, 100, 2.0) == [(0, 0, 167, 100), (133, 0, 300, 100)]
    assert pieces(100, 300, 2.0) == [(0, 0, 100, 167), (0, 133, 100, 300)]


@pytest.mark.parametrize("most", [1.2, 1.5, 2.0, 3.3])
@pytest.mark.parametrize("long", [241, 500, 1999, 10_000])
def test_pieces_cover_everything_overlap_and_are_short_enough(long, most):
    found = pieces(long, 200, most)
    if len(found) == 1:
        assert long <= most * 200
        return
    assert found[0][0] == 0
    assert found[-1][2] == long
    lengths = {right - left for left, _, right, _ in found}
    assert len(lengths) == 1
    (length,) = lengths
    assert length <= most * 200
    for (_, _, before, _), (after, _, _, _) in itertools.pairwise(found):
        assert before - after >= OVERLAP * length - 2
