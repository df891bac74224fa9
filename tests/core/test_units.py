"""Quantities with their units."""

from __future__ import annotations

import pytest

from lib_trainer.core.errors import ConfigError
from lib_trainer.core.units import Every, Size, duration, file_size


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 epoch", Every(1, "epoch")),
        ("2 epochs", Every(2, "epoch")),
        ("500 Steps", Every(500, "step")),
        (" 15  minutes ", Every(15, "minute")),
        ("3epochs", Every(3, "epoch")),
        ("never", Every(0, "epoch")),
        (" Never ", Every(0, "epoch")),
    ],
)
def test_a_rhythm_is_read_from_text(text, expected):
    assert Every.parse(text) == expected


@pytest.mark.parametrize("text", ["", "5", "epoch", "0 epochs", "-1 steps", "1.5 epochs", "2 hours", "always"])
def test_text_that_is_no_rhythm_is_refused_with_examples(text):
    with pytest.raises(ConfigError, match="'2 epochs', '2 steps', '2 minutes', or 'never'"):
        Every.parse(text)


@pytest.mark.parametrize("rhythm", [Every(1, "epoch"), Every(2, "step"), Every(15, "minute"), Every(0, "epoch")])
def test_a_rhythm_comes_back_from_its_own_text(rhythm):
    assert Every.parse(str(rhythm)) == rhythm


def test_a_rhythm_is_due_at_each_multiple_of_its_own_unit():
    every = Every(3, "step")
    assert [count for count in range(10) if every.due("step", count)] == [3, 6, 9]
    assert not every.due("epoch", 3)


def test_never_is_never_due():
    assert not any(Every.parse("never").due(unit, count) for unit in ("epoch", "step", "minute") for count in range(9))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 s"),
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (185, "3 min 05 s"),
        (3599.7, "1 h 00 min"),
        (7800, "2 h 10 min"),
    ],
)
def test_durations_are_written_for_people(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (19_000_000, "19.0 MB"),
        (999_999, "1.0 MB"),
        (2_132_000_000, "2.1 GB"),
        (5 * 10**12, "5000.0 GB"),
    ],
)
def test_file_sizes_are_written_in_decimal_units(count, text):
    assert file_size(count) == text


@pytest.mark.parametrize(
    ("text", "size"), [("512x768", Size(512, 768)), (" 64 X 64 ", Size(64, 64)), ("640×64", Size(640, 64))]
)
def test_a_size_is_read_from_text_and_comes_back_from_its_own(text, size):
    assert Size.parse(text) == size
    assert Size.parse(str(size)) == size


@pytest.mark.parametrize(
    "text", ["", "512", "512x", "512x768x3", "63x512", "512x2049", "-512x512", "512.5x512", "a x b"]
)
def test_text_that_is_no_size_is_refused_with_an_example_and_the_bounds(text):
    with pytest.raises(ConfigError, match="such as '512x768', each 64 to 2048 px"):
        Size.parse(text)
