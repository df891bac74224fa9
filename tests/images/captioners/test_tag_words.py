"""From a tagger's scores to the words of a caption: each rule against a table written by hand."""

from __future__ import annotations

import pytest

from lib_trainer.core.errors import ConfigError
from lib_trainer.images.captioners.base import Tag
from lib_trainer.images.captioners.tag_options import TagOptions
from lib_trainer.images.captioners.tag_words import words_of

SEEN = [
    Tag("general", "rating", 0.2),
    Tag("sensitive", "rating", 0.7),
    Tag("1girl", "general", 0.9),
    Tag("long_hair", "general", 0.95),
    Tag(">_<", "general", 0.5),
    Tag("saber_(fate)", "character", 0.99),
    Tag("best_quality", "quality", 0.4),
    Tag("normal", "quality", 0.3),
]
CASES = [
    ({}, "saber (fate), long hair, 1girl, >_<"),
    ({"order": "list"}, "1girl, long hair, >_<, saber (fate)"),
    ({"order": "alphabet"}, "1girl, >_<, long hair, saber (fate)"),
    ({"order": "list", "characters_first": True}, "saber (fate), 1girl, long hair, >_<"),
    ({"rating": "first"}, "sensitive, saber (fate), long hair, 1girl, >_<"),
    ({"rating": "last"}, "saber (fate), long hair, 1girl, >_<, sensitive"),
    ({"quality": "first"}, "best quality, saber (fate), long hair, 1girl, >_<"),
    ({"quality": "last"}, "saber (fate), long hair, 1girl, >_<, best quality"),
    ({"quality": "first", "rating": "first"}, "sensitive, best quality, saber (fate), long hair, 1girl, >_<"),
    ({"quality": "last", "rating": "last"}, "saber (fate), long hair, 1girl, >_<, best quality, sensitive"),
    ({"first": ("1girl", "solo", "long hair")}, "1girl, long hair, saber (fate), >_<"),
    ({"exclude": ("Long Hair", ">_<")}, "saber (fate), 1girl"),
    ({"replace": ("1girl -> woman",)}, "saber (fate), long hair, woman, >_<"),
    ({"replace": ("long_hair ->", ">_< -> sad")}, "saber (fate), 1girl, sad"),
    ({"replace": ("1girl -> long_hair",)}, "saber (fate), long hair, >_<"),
    ({"replace": ("1girl -> woman",), "exclude": ("woman",)}, "saber (fate), long hair, >_<"),
    ({"expand_characters": True}, "saber, fate, long hair, 1girl, >_<"),
    ({"expand_characters": True, "replace": ("fate -> fate series",)}, "saber, fate series, long hair, 1girl, >_<"),
    ({"spaces": False}, "saber_(fate), long_hair, 1girl, >_<"),
    ({"escape_brackets": True}, r"saber \(fate\), long hair, 1girl, >_<"),
]


@pytest.mark.option("TagOptions.order", "TagOptions.characters_first", "TagOptions.rating", "TagOptions.quality")
@pytest.mark.option("TagOptions.first", "TagOptions.exclude", "TagOptions.replace", "TagOptions.expand_characters")
@pytest.mark.option("TagOptions.spaces", "TagOptions.escape_brackets")
@pytest.mark.parametrize(("options", "expected"), CASES)
def test_the_words_are_those_of_the_table(options, expected):
    assert ", ".join(words_of(SEEN, TagOptions(**options))) == expected


def test_a_costume_stays_with_the_character():
    seen = [Tag("saber_(swimsuit)_(fate)", "character", 0.9), Tag("cup_(object)", "general", 0.8)]
    assert words_of(seen, TagOptions(expand_characters=True)) == ["saber (swimsuit)", "fate", "cup (object)"]


@pytest.mark.parametrize("face", ["0_0", "(o)_(o)", "+_-", "<|>_<|>", "||_||", "x_x", "3_3", "._."])
def test_faces_keep_their_underscores(face):
    assert words_of([Tag(face, "general", 0.9)], TagOptions()) == [face]


def test_a_replacement_without_an_arrow_is_refused():
    with pytest.raises(ConfigError, match=r"'tags\.replace' has 'a=b'; write it as 'old -> new'"):
        words_of([], TagOptions(replace=("a=b",)))
