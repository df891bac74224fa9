"""What SDXL is told of a picture's sizes and crop."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.dataset.cache import View  # noqa: E402
from lib_trainer.images.buckets import cover  # noqa: E402

WIDE = View(Path("a.png"), "digest", scaled=(300, 200), box=(10, 0, 210, 200))


def test_height_comes_before_width_and_top_before_left():
    assert WIDE.frame((900, 600)) == [600, 900, 0, 10, 200, 200]


def test_in_a_mirrored_picture_the_crop_lies_at_the_other_side():
    assert WIDE.mirror().frame((900, 600)) == [600, 900, 0, 90, 200, 200]


def test_a_crop_of_the_middle_is_told_as_it_was_cut():
    scaled, box = cover(1000, 500, (256, 256))
    frame = View(Path("a.png"), "digest", scaled, box).frame((1000, 500))
    assert frame == [500, 1000, 0, (scaled[0] - 256) // 2, 256, 256]
    assert scaled[0] == 512
