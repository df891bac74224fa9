"""Learning rates over a run, by hand and against transformers."""

from __future__ import annotations

import math

import pytest

from lib_trainer.training.schedules.constant import Constant
from lib_trainer.training.schedules.cosine import Cosine
from lib_trainer.training.schedules.linear import Linear


def factors(schedule, total):
    return [schedule.factor(step, total) for step in range(total)]


@pytest.mark.option("Constant.warmup")
def test_constant_rises_in_its_warm_up_and_stays():
    assert factors(Constant(warmup=4), 6) == [0.25, 0.5, 0.75, 1, 1, 1]
    assert factors(Constant(), 3) == [1, 1, 1]


@pytest.mark.option("Linear.warmup", "Linear.end")
def test_linear_falls_in_equal_parts_to_its_end():
    assert factors(Linear(), 4) == [1, 0.75, 0.5, 0.25]
    assert factors(Linear(end=0.5), 4) == [1, 0.875, 0.75, 0.625]
    assert factors(Linear(warmup=2), 6) == [0.5, 1, 1, 0.75, 0.5, 0.25]


@pytest.mark.option("Cosine.warmup", "Cosine.end")
def test_cosine_falls_along_half_a_cosine_to_its_end():
    assert factors(Cosine(), 4) == pytest.approx([1, (1 + math.sqrt(0.5)) / 2, 0.5, (1 - math.sqrt(0.5)) / 2])
    assert factors(Cosine(end=0.2), 4)[2] == pytest.approx(0.6)
    assert factors(Cosine(warmup=2), 6) == pytest.approx([0.5, *factors(Cosine(), 4)[:1], *factors(Cosine(), 4)])
    assert Cosine(end=0.2).factor(4, 4) == pytest.approx(0.2)


@pytest.mark.parametrize("schedule", [Constant(10), Linear(10), Cosine(10), Constant(3), Linear(5), Cosine(100)])
def test_a_run_shorter_than_its_warm_up_still_learns(schedule):
    rates = factors(schedule, 3)
    assert all(0 < rate <= 1 for rate in rates)
    assert rates == sorted(rates)


@pytest.mark.engine
@pytest.mark.parametrize(
    ("schedule", "name"), [(Cosine(), "get_cosine_schedule_with_warmup"), (Linear(), "get_linear_schedule_with_warmup")]
)
def test_without_warm_up_the_factors_are_those_of_transformers(schedule, name):
    assert factors(schedule, 20) == pytest.approx(theirs(name, 0, 20))


@pytest.mark.engine
@pytest.mark.parametrize(
    ("kind", "name"), [(Cosine, "get_cosine_schedule_with_warmup"), (Linear, "get_linear_schedule_with_warmup")]
)
def test_the_warm_up_is_that_of_transformers_without_its_first_step_of_rate_zero(kind, name):
    """Theirs begins at zero, which wastes a step: while warming up, a step of ours has the factor of their next."""
    ours, their = factors(kind(warmup=5), 20), theirs(name, 5, 20)
    assert ours[:5] == pytest.approx(their[1:6])
    assert ours[5:] == pytest.approx(their[5:])


def theirs(name, warmup, total):
    torch = pytest.importorskip("torch")
    import transformers

    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = getattr(transformers, name)(optimizer, warmup, total)
    rates = []
    for _ in range(total):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return rates


@pytest.mark.engine
@pytest.mark.option("TrainingOptions.schedule")
def test_each_step_is_taken_at_the_rate_that_the_schedule_says(runs):
    pytest.importorskip("torch")
    from lib_trainer.core.events import Loss

    changes = {"schedule": {"type": "cosine", "warmup": 2, "end": 0.1}, "learning_rate": 1e-3, "epochs": 2}
    rates = [event.learning_rates["unet"] for event in runs.train({**changes, "accumulate": 2}).of(Loss)]
    assert rates == pytest.approx([1e-3 * Cosine(2, 0.1).factor(step, 4) for step in range(4)], rel=1e-12)


@pytest.mark.engine
@pytest.mark.option("TrainingOptions.schedule")
def test_the_rate_that_is_told_is_the_rate_that_is_taken(runs):
    """Adam's first step is as large as the rate: it moves B, zero before, by the rate in each of its values."""
    pytest.importorskip("torch")
    run = runs.train({"schedule": {"type": "constant", "warmup": 10}, "learning_rate": 1e-2, "max_steps": 1})
    moved = [tensor.abs().max().item() for name, tensor in run.tensors().items() if name.endswith("lora_up.weight")]
    assert max(moved) == pytest.approx(1e-3, rel=1e-2)
