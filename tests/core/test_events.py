"""Events as lines of JSON."""

from __future__ import annotations

import dataclasses
import json
import math
import time

import pytest

from lib_trainer.core.events import (
    EVENTS,
    Cell,
    Event,
    Failed,
    Finished,
    GridPlan,
    HeldOut,
    Loss,
    Notice,
    Progress,
    Saved,
    Started,
    Stopped,
    Table,
    from_line,
)

EXAMPLES = [
    Started("train", 4711),
    Progress("Encoding pictures", 3, 10, "pictures"),
    Notice("Zwölf Bilder 猫 \u2028 and a \n line break", level="warning"),
    Table("Pictures", ["name", "why"], [["a.png", "broken"], ["b.png", "empty"]]),
    Loss(7, 1, 0.123, {"unet": 1e-4, "text_encoder": 5e-5}),
    HeldOut(7, 1, 0.25),
    Saved("network", "/tmp/ü.safetensors", step=7, epoch=1),
    GridPlan(["no network", "a"], ["a cat\nseed 1"], 2),
    Cell(1, 0, "/tmp/cell.png", "a cat\nSteps: 2"),
    Failed("It broke.", "Traceback ..."),
    Stopped(),
    Finished({"files": ["a"], "seconds": 1.5}),
]


def test_there_is_an_example_of_each_event():
    assert {type(event) for event in EXAMPLES} == set(EVENTS.values())
    assert set(EVENTS.values()) == set(Event.__subclasses__())


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.name)
def test_an_event_comes_back_equal_from_its_line(event):
    line = event.to_line()
    assert from_line(line) == event
    assert line.splitlines() == [line]
    assert json.loads(line)["event"] == event.name


def test_an_event_knows_when_it_happened():
    assert abs(Stopped().time - time.time()) < 5
    assert from_line(dataclasses.replace(Stopped(), time=12.5).to_line()).time == 12.5


def test_a_loss_that_is_not_finite_survives_its_line():
    assert math.isnan(from_line(Loss(1, 0, math.nan, {}).to_line()).value)
