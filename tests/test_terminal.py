"""What events look like in a terminal."""

from __future__ import annotations

import io

import pytest

from lib_trainer.core.events import (
    EVENTS,
    Cell,
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
)
from lib_trainer.terminal import Terminal, sentence, table_text


class Screen(io.StringIO):
    """A stream that says whether it is a terminal."""

    def __init__(self, moving, encoding="utf-8"):
        super().__init__()
        self._moving, self._encoding = moving, encoding

    def isatty(self):
        return self._moving

    @property
    def encoding(self):
        return self._encoding


@pytest.fixture
def clock(monkeypatch):
    """`clock.now` is the time that a terminal sees."""

    class Clock:
        now = 100.0

    monkeypatch.setattr("lib_trainer.terminal.time.monotonic", lambda: Clock.now)
    return Clock


def shown(*events, moving=False, encoding="utf-8"):
    screen = Screen(moving, encoding)
    terminal = Terminal(screen)
    for event in events:
        terminal.show(event)
    return screen.getvalue()


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (Notice("A word."), "A word."),
        (Notice("Careful.", level="warning"), "Warning: Careful."),
        (HeldOut(0, 0, 0.25), "Loss on the pictures kept aside, of the model as it was: 0.2500"),
        (HeldOut(8, 2, 0.2), "Loss on the pictures kept aside, after epoch 2: 0.2000"),
        (Saved("network", "/a/b.safetensors"), "Saved /a/b.safetensors"),
        (Saved("state", "/a/state"), ""),
        (Failed("It broke."), "Error: It broke."),
        (Failed("It broke.", "Traceback"), "Error: It broke.\nTraceback"),
        (Stopped(), "Stopped; it can be resumed."),
        (Finished({"a": 1}), "Done."),
        (Started("train", 1), ""),
        (GridPlan(["a"], ["b"], 1), ""),
        (Cell(0, 0, "/a.png", "a cat"), ""),
    ],
)
def test_each_event_is_a_sentence_or_silence(event, text):
    assert sentence(event) == text
    assert shown(event) == (f"{text}\n" if text else "")


def test_a_table_has_padded_columns():
    table = Table("Pictures", ["name", "why"], [["a.png", "broken"], ["long name.png", "empty"]])
    assert table_text(table) == "Pictures\n  name           why\n  a.png          broken\n  long name.png  empty"


def test_a_table_without_rows_is_its_heading():
    assert table_text(Table("Pictures", ["name", "why"], [])) == "Pictures\n  name  why"


def test_progress_on_a_terminal_moves_in_one_line_and_ends_in_one_that_stays(clock):
    screen = Screen(moving=True)
    terminal = Terminal(screen)
    for done in range(5):
        terminal.show(Progress("Work", done, 4, "pictures"))
        clock.now += 10
    text = screen.getvalue()
    assert text.count("\n") == 1
    assert text.split("\r\x1b[K")[2] == "Work: 1/4 pictures (25%), 30 s left"
    assert text.endswith("Work: 4/4 pictures (100%) in 40 s\n")


def test_a_sentence_on_a_terminal_replaces_the_moving_line(clock):
    assert shown(Progress("Work", 0, 4), Notice("A word."), moving=True).endswith("\r\x1b[KA word.\n")


def test_progress_into_a_file_is_a_line_every_few_seconds(clock):
    screen = Screen(moving=False)
    terminal = Terminal(screen)
    for done in range(101):
        terminal.show(Progress("Work", done, 100))
        clock.now += 0.5
    lines = screen.getvalue().splitlines()
    assert 8 < len(lines) < 14
    assert lines[-1].startswith("Work: 100/100 (100%)")
    assert "\r" not in screen.getvalue()


def test_a_resumed_stage_reckons_the_time_left_from_its_own_beginning(clock):
    screen = Screen(moving=True)
    terminal = Terminal(screen)
    for done in (50, 51):
        terminal.show(Progress("Training", done, 100, "steps"))
        clock.now += 10
    assert screen.getvalue().endswith("51/100 steps (51%), 8 min 10 s left")


def test_the_loss_stands_beside_the_steps(clock):
    text = shown(Loss(1, 0, 0.123456, {}), Progress("Training", 1, 4, "steps"), moving=True)
    assert text.endswith("loss 0.1235")


def test_a_stage_of_nothing_is_done():
    assert shown(Progress("Work", 0, 0)) == "Work: 0/0 (100%) in 0 s\n"


def test_a_terminal_that_lacks_a_letter_shows_the_rest():
    assert shown(Notice("猫.png is broken"), encoding="cp1252") == "?.png is broken\n"


def test_every_kind_of_event_can_be_shown():
    examples = [Started("train", 1), Progress("Work", 1, 2), Notice("A"), Table("A", ["b"], []), Loss(1, 1, 0.5, {}),
                HeldOut(1, 1, 0.5), Saved("grid", "/a"), GridPlan(["a"], ["b"], 1), Cell(0, 0, "/a", ""), Failed("A"),
                Stopped(), Finished({})]  # fmt: skip
    assert {type(event) for event in examples} == set(EVENTS.values())
    shown(*examples, moving=True)
