"""Lists of sections: tables of options, as many as the user wants, numbered from 1 in what is said of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from lib_trainer.core.complaints import complaints, read_all
from lib_trainer.core.configs import Text, dump, load, merge
from lib_trainer.core.errors import ConfigError
from lib_trainer.core.options import option, section, sections


@dataclass(frozen=True, kw_only=True)
class Animal:
    """An animal."""

    name: str = option(..., "What it is called.")
    legs: int = option(4, "How many legs.", ge=0, le=1000)
    picture: Path | None = option(None, "Its picture.")

    def __post_init__(self) -> None:
        if self.name == "dragon":
            raise ConfigError(f"'name' is {self.name!r}; there are none.")


@dataclass(frozen=True)
class Zoo:
    """A zoo."""

    animals: tuple[Animal, ...] = sections(Animal, "Who lives there.")


@dataclass(frozen=True)
class Town:
    """A town."""

    zoo: Zoo = section(Zoo)


GOOD = {"zoo": {"animals": [{"name": "cat"}, {"name": "bird", "legs": 2, "picture": "/bird.png"}]}}


def test_a_list_of_tables_is_loaded_and_dumped_as_it_was():
    town = load(Town, GOOD)
    assert town.zoo.animals == (Animal(name="cat"), Animal(name="bird", legs=2, picture=Path("/bird.png")))
    assert load(Town, dump(town)) == town
    assert dump(town)["zoo"]["animals"][1] == {"name": "bird", "legs": 2, "picture": "/bird.png"}


def test_no_list_is_an_empty_one():
    assert load(Town, {}).zoo.animals == ()


def test_text_in_a_table_is_read_as_its_option():
    assert load(Zoo, {"animals": [{"name": Text("ant"), "legs": Text("6")}]}).animals[0].legs == 6


@pytest.mark.parametrize(("animals", "path", "words"), [
    ([{"name": "cat"}, {"name": "ant", "legs": -1}], "zoo.animals.2.legs", "is -1; it must be 0 to 1000"),
    ([{"legs": 4}], "zoo.animals.1.name", "is not given"),
    ([{"name": "cat", "leg": 4}], "zoo.animals.1.leg", "Did you mean 'legs'?"),
    (["cat"], "zoo.animals.1", "it must be a table of options: name, legs, picture"),
    ({"name": "cat"}, "zoo.animals", "it must be a list of tables, each of options: name, legs, picture"),
    ([{"name": "cat"}, {"name": "dragon"}], "zoo.animals.2.name", "there are none"),
])  # fmt: skip
def test_a_complaint_names_the_table_by_its_number(animals, path, words):
    data = {"zoo": {"animals": animals}}
    with pytest.raises(ConfigError) as refused:
        load(Town, data)
    (complaint,) = complaints(Town, data)
    assert (complaint.path, complaint.message) == (path, str(refused.value))
    assert words in complaint.message


def test_all_tables_are_read_as_far_as_they_can_be():
    reading = read_all(Town, {"zoo": {"animals": [{"name": 3}, {"name": "ant", "legs": -1}]}})
    assert [complaint.path for complaint in reading.complaints] == ["zoo.animals.1.name", "zoo.animals.2.legs"]
    assert [leaf.path for leaf in reading.leaves] == ["zoo.animals.2.name"]
    assert read_all(Town, GOOD).config == load(Town, GOOD)


def test_a_list_takes_the_place_of_the_one_below_it():
    assert merge(GOOD, {"zoo": {"animals": [{"name": "ant"}]}}) == {"zoo": {"animals": [{"name": "ant"}]}}
