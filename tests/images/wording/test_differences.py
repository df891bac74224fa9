"""What a caption lost and won, in parts."""

from __future__ import annotations

import random

import pytest

from lib_trainer.images.wording.differences import differences


@pytest.mark.parametrize(("before", "after", "parts"), [
    ("a, b, c", "a, b, c", [("same", "a, b, c")]),
    ("a, b, c", "a, x, c", [("same", "a, "), ("gone", "b"), ("new", "x"), ("same", ", c")]),
    ("a, b, c", "a, b, c, d", [("same", "a, b, c"), ("new", ", d")]),
    ("", "a", [("new", "a")]),
    ("a", "", [("gone", "a")]),
    ("a red cat sits", "a cat sits here", [("same", "a "), ("gone", "red "), ("same", "cat sits"), ("new", " here")]),
    ("red_hair, a, blue_sky", "red hair, a, blue sky",
     [("gone", "red_hair"), ("new", "red hair"), ("same", ", a, "), ("gone", "blue_sky"), ("new", "blue sky")]),
])  # fmt: skip
def test_parts_tell_what_changed(before, after, parts):
    assert differences(before, after) == parts


def test_the_parts_always_give_both_captions_back():
    lots = random.Random(0)
    for _ in range(500):
        before, after = ("".join(lots.choices("ab ,", k=lots.randint(0, 40))) for _ in range(2))
        parts = differences(before, after)
        assert "".join(text for kind, text in parts if kind != "new") == before
        assert "".join(text for kind, text in parts if kind != "gone") == after


def test_very_long_captions_are_told_in_one_piece():
    before, after = "a " * 500, "b " * 500
    assert differences(before, after) == [("gone", before), ("new", after)]
