"""Tables of interchangeable implementations."""

from __future__ import annotations

import pytest

from lib_trainer.core.errors import ConfigError
from lib_trainer.core.registry import Registry, did_you_mean


class Round:
    """Round."""


class Square:
    """Square."""


SHAPES: Registry[object] = Registry("shape", {"round": Round, "square": Square})


def test_an_entry_is_found_by_its_name_and_its_name_by_the_entry():
    assert SHAPES["square"] is Square
    assert SHAPES.name_of(Square) == "square"


def test_entries_come_in_the_order_of_the_table():
    assert SHAPES.names == ["round", "square"]
    assert list(SHAPES) == [("round", Round), ("square", Square)]


def test_an_unknown_name_is_refused_with_a_near_one_and_all_there_are():
    with pytest.raises(ConfigError) as error:
        SHAPES["squre"]
    assert str(error.value) == "Unknown shape 'squre'. Did you mean 'square'? Available: round, square."


def test_a_name_like_no_other_gets_no_suggestion():
    assert did_you_mean("xyz", ["round", "square"]) == ""


def test_the_table_does_not_change_with_the_dictionary_it_was_made_from():
    entries = {"round": Round}
    table: Registry[object] = Registry("shape", entries)
    entries["square"] = Square
    assert table.names == ["round"]
