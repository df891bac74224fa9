"""From batches to steps."""

from __future__ import annotations

import pytest

from lib_trainer.core.configs import load
from lib_trainer.training.length import Length
from lib_trainer.training.options import TrainingOptions


def length(batches, **options):
    return Length.of(load(TrainingOptions, {"model": "/m", "dataset": {"folder": "/p"}, **options}), batches)


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
