"""From batches to steps."""

from __future__ import annotations

import pytest

from lib_trainer.core.configs import load
from lib_trainer.core.units import Every
from lib_trainer.training.length import Length
from lib_trainer.training.options import TrainingOptions


def length(batches, **options):
    return Length.of(load(TrainingOptions, {"model": "/m", "dataset": {"folder": "/p"}, **options}), [batches])


@pytest.mark.parametrize(
    ("batches", "options", "in_epoch", "steps"),
    [
        (7, {"epochs": 3}, 7, 21),
        (7, {"epochs": 3, "accumulate": 3}, 3, 9),
        (7, {"epochs": 3, "max_steps": 10}, 7, 10),
        (7, {"epochs": 1, "max_steps": 10}, 7, 7),
        (1, {"epochs": 1, "accumulate": 8}, 1, 1),
    ],
)
def test_the_last_step_of_an_epoch_may_have_fewer_batches(batches, options, in_epoch, steps):
    assert length(batches, **options) == Length(in_epoch, steps)


def test_epochs_are_completed_at_their_last_step():
    assert [Length(3, 9).epochs_at(step) for step in (0, 2, 3, 4, 9)] == [
        (0, True), (0, False), (1, True), (1, False), (3, True),
    ]  # fmt: skip


def test_epochs_of_different_lengths_end_where_their_steps_do():
    options = load(TrainingOptions, {"model": "/m", "dataset": {"folder": "/p"}, "epochs": 3, "accumulate": 2})
    found = Length.of(options, [5, 4, 2])
    assert found == Length(3, 6, (3, 5, 6))
    assert [found.epochs_at(step) for step in (0, 2, 3, 4, 5, 6)] == [
        (0, True), (0, False), (1, True), (1, False), (2, True), (3, True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("every", "alike", "different"),
    [
        ("1 epoch", [3, 6, 9], [3, 5, 6]),
        ("2 epochs", [6], [5]),
        ("4 steps", [4, 8], [4]),
        ("never", [], []),
        ("5 minutes", [], []),
    ],
)
def test_what_is_due_is_due_at_these_steps(every, alike, different):
    assert list(Length(3, 9).moments(Every.parse(every))) == alike
    assert list(Length(3, 6, (3, 5, 6)).moments(Every.parse(every))) == different


def test_nothing_is_due_after_the_last_step():
    assert list(Length(3, 5, (3, 5, 6)).moments(Every(1, "epoch"))) == [3, 5]
    assert list(Length(3, 4, (3, 5, 6)).moments(Every(1, "epoch"))) == [3]
