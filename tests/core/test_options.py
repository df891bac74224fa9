"""Declaring options and describing them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from lib_trainer.core.options import choice, describe, first_line, labelled, option, section, sections
from lib_trainer.core.registry import Registry
from lib_trainer.core.units import Every


@dataclass(frozen=True)
class Brush:
    """A soft brush.

    More about it.
    """

    width: int = option(3, "How wide it paints.", ge=1, le=64, unit="px")


BRUSHES: Registry[Brush] = Registry("brush", {"soft": Brush})


@dataclass(frozen=True)
class Place:
    """Where it goes."""

    folder: Path = option(..., "A folder.")


@dataclass(frozen=True, kw_only=True)
class Painting:
    """All kinds of options."""

    title: str = option(..., "Its title.")
    layers: int = option(2, "How many layers.", ge=1)
    strength: float = option(0.5, "How strongly.", le=1)
    wet: bool = option(False, "Whether it is wet.")
    medium: Literal["oil", "ink"] = option("oil", "What is used.")
    rhythm: Every = option(Every(1, "epoch"), "How often.")
    seed: int | None = option(None, "A seed.")
    colours: tuple[str, ...] = option(("red",), "The colours.")
    brush: Brush = choice(BRUSHES, "soft", "The brush.")
    place: Place = section(Place)


def painting(name):
    return next(info for info in describe(Painting) if info.name == name)


def test_options_are_described_in_the_order_in_which_they_stand():
    assert [info.name for info in describe(Painting)][:4] == ["title", "layers", "strength", "wet"]


@pytest.mark.parametrize(
    ("name", "type_", "kind"),
    [
        ("title", str, "text"),
        ("layers", int, "a whole number"),
        ("strength", float, "a number"),
        ("wet", bool, "true or false"),
        ("medium", str, "one of oil, ink"),
        ("rhythm", Every, "text"),
        ("seed", int, "a whole number"),
        ("colours", str, "a list, each text"),
    ],
)
def test_the_kind_of_an_option_is_said_in_words(name, type_, kind):
    assert painting(name).type is type_
    assert painting(name).kind == kind


def test_only_options_without_a_default_are_required():
    assert [info.name for info in describe(Painting) if info.required] == ["title", "place"]


def test_a_section_is_required_when_one_of_its_options_is():
    assert painting("place").section
    assert painting("place").required


def test_none_in_the_annotation_makes_an_option_optional():
    assert painting("seed").optional
    assert not painting("layers").optional


@pytest.mark.parametrize(
    ("ge", "le", "words"),
    [
        (1, 64, "1 to 64"),
        (1, None, "at least 1"),
        (None, 0.5, "at most 0.5"),
        (None, None, ""),
        (1, 100_000, "1 to 100000"),
    ],
)
def test_bounds_are_said_in_words(ge, le, words):
    @dataclass(frozen=True)
    class Bounded:
        """One number."""

        value: float = option(1.0, "A number.", ge=ge, le=le)

    assert describe(Bounded)[0].bounds == words


def test_a_choice_has_the_registry_and_its_default_entry():
    assert painting("brush").registry is BRUSHES
    assert painting("brush").default == Brush(3)


def test_the_first_line_of_a_docstring_is_the_sentence_for_users():
    assert first_line(Brush) == "A soft brush."


def test_a_form_calls_an_option_by_its_name_unless_it_has_words_of_its_own():
    @dataclass(frozen=True)
    class Named:
        keep_tags: int = option(0, "A number.")
        folder: str = labelled("Folder of pictures", option("", "A folder.", group="first"))

    assert [(info.name, info.label, info.group) for info in describe(Named)] == [
        ("keep_tags", "Keep tags", ""),
        ("folder", "Folder of pictures", "first"),
    ]


@dataclass(frozen=True)
class Album:
    """A list of brushes."""

    brushes: tuple[Brush, ...] = sections(Brush, "The brushes in it.")


def test_a_list_of_sections_is_empty_at_first_and_knows_its_options():
    (info,) = describe(Album)
    assert (info.section, info.many, info.required, info.default, info.type) == (True, True, False, (), Brush)
    assert info.kind == "a list of tables, each of options: width"


def test_the_tables_of_a_list_hold_no_groups_of_their_own():
    with pytest.raises(TypeError, match="Painting has groups of its own"):
        sections(Painting, "Paintings.")
