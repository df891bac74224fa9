"""Frozen convolutions that choose their way, against PyTorch's convolution."""

from __future__ import annotations

import copy

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from torch import nn  # noqa: E402

from lib_trainer.models import small_convolutions  # noqa: E402
from lib_trainer.models.small_convolutions import use_matrix_products  # noqa: E402

KINDS = {
    "3x3": {"kernel_size": 3, "padding": 1},
    "halving": {"kernel_size": 3, "padding": 1, "stride": 2},
    "unpadded": {"kernel_size": 3, "bias": False},
    "oblong": {"kernel_size": (1, 3), "padding": (0, 1)},
    "1x1": {"kernel_size": 1},
}


@pytest.fixture(autouse=True)
def all_are_large(monkeypatch):
    monkeypatch.setattr(small_convolutions, "FEWEST_WEIGHTS", 1)


@pytest.fixture(params=[64, 0], ids=["matrix", "library"])
def way(request, monkeypatch):
    """Whether small maps, that is all here, go through matrix products."""
    monkeypatch.setattr(small_convolutions, "MOST_POSITIONS", request.param)
    return request.param


def pair(dtype=torch.float32, **kind):
    """A frozen convolution as it is, and one that chooses."""
    plain = nn.Conv2d(6, 4, **kind, dtype=dtype).requires_grad_(False)
    chooses = copy.deepcopy(plain)
    assert use_matrix_products(chooses) == 1
    return plain, chooses


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 4e-2)])
def test_results_and_gradients_are_those_of_the_library(way, kind, count, dtype, tolerance):
    plain, chooses = pair(dtype, **kind)
    x = torch.randn(count, 6, 5, 4, dtype=dtype, requires_grad=True)
    ours, theirs = chooses(x), plain(x)
    assert ours.is_contiguous()
    assert ours.shape == theirs.shape
    assert torch.allclose(ours, theirs, atol=tolerance, rtol=tolerance)
    towards = torch.randn_like(theirs)
    (our,), (their,) = torch.autograd.grad(ours, x, towards), torch.autograd.grad(theirs, x, towards)
    assert torch.allclose(our, their, atol=tolerance, rtol=tolerance)
    with torch.no_grad():
        assert torch.equal(chooses(x), ours)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_gradients_are_those_of_small_differences(way, kind):
    _, chooses = pair(torch.float64, **kind)
    assert torch.autograd.gradcheck(chooses, torch.randn(2, 6, 4, 5, dtype=torch.float64, requires_grad=True))


def test_the_input_is_not_kept(way):
    plain, chooses = pair(kernel_size=3, padding=1)
    kept = {}
    for convolution in (plain, chooses):
        shapes = []
        x = torch.randn(1, 6, 4, 4, requires_grad=True)
        with torch.autograd.graph.saved_tensors_hooks(lambda t, to=shapes: to.append(t.shape) or t, lambda t: t):
            convolution(x)
        kept[convolution] = shapes
    assert (1, 6, 4, 4) in kept[plain]
    assert kept[chooses] == [(4, 6, 3, 3)]


def test_weights_that_are_trained_after_all_get_their_gradients(way):
    plain, chooses = pair(kernel_size=3, padding=1)
    x = torch.randn(1, 6, 4, 4)
    for convolution in (plain, chooses):
        convolution.requires_grad_(True)
        convolution(x).square().sum().backward()
    assert chooses.weight.grad.abs().sum() > 0
    assert torch.equal(chooses.weight.grad, plain.weight.grad)
    assert torch.equal(chooses.bias.grad, plain.bias.grad)


def test_under_autocast_the_library_chooses_the_number_format(way):
    plain, chooses = pair(kernel_size=3, padding=1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        x = torch.randn(1, 6, 4, 4)
        assert chooses(x).dtype == torch.bfloat16
        assert torch.equal(chooses(x), plain(x))


def test_few_weights_groups_and_other_paddings_are_left_alone(monkeypatch):
    left = [nn.Conv2d(4, 4, 3, groups=2), nn.Conv2d(4, 4, 3, dilation=2), nn.Conv2d(4, 4, 3, padding="same"),
            nn.Conv2d(4, 4, 3, padding_mode="reflect", padding=1), nn.Linear(4, 4)]  # fmt: skip
    assert use_matrix_products(nn.Sequential(*left).requires_grad_(False)) == 0
    monkeypatch.setattr(small_convolutions, "FEWEST_WEIGHTS", 4 * 4 * 9 + 1)
    assert use_matrix_products(nn.Conv2d(4, 4, 3).requires_grad_(False)) == 0
