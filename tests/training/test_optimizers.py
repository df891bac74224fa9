"""AdamW against the paper's update, by hand."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.training.optimizers.adamw import AdamW  # noqa: E402

GRADIENTS = [0.5, -1.0, 0.05, 3.0]
RATE = 0.1


def ours(options):
    weight = torch.nn.Parameter(torch.tensor([2.0]))
    optimizer = options.build([{"params": [weight], "lr": RATE}])
    for gradient in GRADIENTS:
        weight.grad = torch.tensor([gradient])
        optimizer.step()
    return weight.item()


def by_hand(options):
    """Algorithm 2 of Loshchilov & Hutter, 2019."""
    weight, first, second = 2.0, 0.0, 0.0
    for step, gradient in enumerate(GRADIENTS, start=1):
        weight -= RATE * options.weight_decay * weight
        first = options.beta1 * first + (1 - options.beta1) * gradient
        second = options.beta2 * second + (1 - options.beta2) * gradient**2
        corrected = first / (1 - options.beta1**step), second / (1 - options.beta2**step)
        weight -= RATE * corrected[0] / (math.sqrt(corrected[1]) + options.epsilon)
    return weight


@pytest.mark.option("AdamW.weight_decay", "AdamW.beta1", "AdamW.beta2", "AdamW.epsilon")
@pytest.mark.parametrize("change", [{}, {"weight_decay": 0.5}, {"beta1": 0.5}, {"beta2": 0.9}, {"epsilon": 0.01}])
def test_steps_are_those_of_the_paper(change):
    options = AdamW(**change)
    assert ours(options) == pytest.approx(by_hand(options), rel=1e-6)
    assert not change or abs(by_hand(options) - by_hand(AdamW())) > 1e-3


def test_each_group_has_its_own_rate():
    weights = [torch.nn.Parameter(torch.ones(1)) for _ in range(2)]
    groups = [{"params": [weight], "lr": rate} for weight, rate in zip(weights, (0.1, 0.01), strict=True)]
    optimizer = AdamW(weight_decay=0).build(groups)
    for weight in weights:
        weight.grad = torch.ones(1)
    optimizer.step()
    assert [1 - weight.item() for weight in weights] == pytest.approx([0.1, 0.01], rel=1e-3)


def test_the_moments_have_their_memory_before_the_first_step_and_count_from_nought():
    weight = torch.nn.Parameter(torch.randn(3, 2))
    optimizer = AdamW().build([{"params": [weight], "lr": RATE}])
    fresh = torch.optim.AdamW([weight], lr=RATE, fused=True)
    ours = optimizer.state[weight]
    assert ours["exp_avg"].shape == ours["exp_avg_sq"].shape == weight.shape
    weight.grad = torch.zeros_like(weight)
    for each in (optimizer, fresh):
        each.step()
    theirs = fresh.state[weight]
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) and ours[name].dtype == theirs[name].dtype for name in theirs)
