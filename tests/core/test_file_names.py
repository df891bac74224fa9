"""Names that every system takes."""

import pytest

from lib_trainer.core.file_names import safe_name, safe_path


@pytest.mark.parametrize(
    ("told", "made"),
    [
        ("a.png", "a.png"), ("my cät (1).JPG", "my cät (1).JPG"), ("🦊'.png", "🦊'.png"), ('a:"?*<>|b', "a_______b"),
        ("a\0b\nc", "a_b_c"), ("a/b\\c", "a_b_c"), ("con", "_con"), ("NUL.txt", "_NUL.txt"), ("comma.txt", "comma.txt"),
        (" end. ", "end"), ("", "_"), (".hidden", "_.hidden"), ("..", "_"), ("a\ud800", "a_"), ("e\u0301", "é"),
    ],
)  # fmt: skip
def test_names_are_kept_where_they_can_be(told, made):
    assert safe_name(told) == made


def test_a_long_name_keeps_its_ending_and_differs_from_others_that_begin_alike():
    one, other = (safe_name("ä" * 200 + end + ".png") for end in "ab")
    assert one != other and one.endswith(".png")
    assert len(one.encode()) <= 200


def test_a_path_that_is_too_long_keeps_its_last_two_parts():
    path = "/".join([*["folder" * 10] * 9, "b", "c.png"])
    assert safe_path(path) == "b/c.png"
    assert safe_path("a/b/c.png") == "a/b/c.png"
    assert len(safe_path("/".join(["d" * 150] * 3))) <= 200
