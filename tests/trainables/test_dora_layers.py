"""The layers of a DoRA against the frozen layer with the changed weight built by the paper's formula."""

from __future__ import annotations

import copy

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from lib_trainer.trainables.dora_layers import DoraLayer, changed_norms, column_norms, column_squares  # noqa: E402
from tests.trainables.test_lora_layers import FROZEN  # noqa: E402


@pytest.fixture(params=FROZEN.keys())
def kind(request):
    torch.manual_seed(0)
    return FROZEN[request.param]


def layer_on(frozen, strength=1.0):
    """A layer of rank 3 in double precision that changes directions and lengths."""
    frozen.double().requires_grad_(False)
    layer = DoraLayer(frozen, 3, 6.0).double()
    layer.down.data.normal_()
    layer.up.data.normal_()
    layer.lengths.data.uniform_(0.5, 2)
    layer.set_strength(strength)
    return layer


def merged(plain, layer):
    """A function with W + strength * (W' - W), where W' = lengths * (W + scale * B A) / its columns' norms."""
    product = torch.einsum("or,r...->o...", layer.up.flatten(1), layer.down)
    changed = plain.weight + 2.0 * product
    over = [axis for axis in range(changed.ndim) if axis != 1]
    changed = layer.lengths * changed / torch.linalg.vector_norm(changed, dim=over, keepdim=True)
    weight = plain.weight + layer.strength * (changed - plain.weight)
    if isinstance(plain, nn.Conv2d):
        return lambda x: functional.conv2d(x, weight, plain.bias, plain.stride, plain.padding)
    return lambda x: functional.linear(x, weight, plain.bias)


def results(function, x, layer):
    x = x.clone().requires_grad_()
    y = function(x)
    towards = torch.randn(y.shape, generator=torch.Generator().manual_seed(1), dtype=y.dtype)
    return (y, *torch.autograd.grad(y, (x, layer.down, layer.up, layer.lengths), towards))


@pytest.mark.parametrize("strength", [1.0, 0.7, -0.5])
@pytest.mark.parametrize("trains_weight", [False, True])
def test_results_and_gradients_are_those_of_the_merged_weights(kind, strength, trains_weight):
    make, shape = kind
    frozen = make()
    plain = copy.deepcopy(frozen).double()
    layer, x = layer_on(frozen, strength), torch.randn(shape, dtype=torch.float64)
    frozen.weight.requires_grad_(trains_weight)
    ours, theirs = results(frozen, x, layer), results(merged(plain, layer), x, layer)
    for our, their in zip(ours, theirs, strict=True):
        assert torch.allclose(our, their, atol=1e-10, rtol=1e-9)
    if trains_weight:
        ours = torch.autograd.grad(frozen(x).square().sum(), frozen.weight)[0]
        theirs = torch.autograd.grad(merged(plain, layer)(x).square().sum(), plain.weight)[0]
        assert torch.allclose(ours, theirs, atol=1e-9)


def test_at_strength_nought_it_is_the_frozen_layer(kind):
    make, shape = kind
    frozen = make()
    plain = copy.deepcopy(frozen).double()
    layer_on(frozen, 0.0)
    x = torch.randn(shape, dtype=torch.float64)
    assert torch.equal(frozen(x), plain(x))


def test_a_new_layer_changes_nothing_to_the_bit(kind):
    make, shape = kind
    frozen = make().requires_grad_(False)
    plain = copy.deepcopy(frozen)
    layer = DoraLayer(frozen, 3, 3.0)
    layer.down.data.normal_()
    layer.lengths.data.copy_(column_norms(plain.weight).view_as(layer.lengths))
    x = torch.randn(shape)
    assert torch.equal(layer._gain(), torch.ones(6))
    assert torch.allclose(frozen(x), plain(x), atol=1e-6)


def test_norms_are_taken_anew_when_the_frozen_weight_changes():
    frozen = nn.Linear(6, 5)
    layer = layer_on(frozen)
    x = torch.randn(3, 6, dtype=torch.float64)
    before = frozen(x)
    with torch.no_grad():
        frozen.weight.mul_(3)
    layer.up.data.zero_()
    again = layer.lengths.flatten() / torch.linalg.vector_norm(frozen.weight, dim=0)
    assert not torch.equal(frozen(x), before)
    assert torch.allclose(frozen(x), functional.linear(x * again, frozen.weight, frozen.bias))


def test_norms_of_changed_columns_are_exact_in_32_bits_where_the_change_is_small():
    torch.manual_seed(0)
    weight, down, up = torch.randn(320, 768), torch.randn(16, 768) * 1e-3, torch.randn(320, 16) * 1e-3
    found = changed_norms(weight, column_squares(weight), down, up, 1.0)
    exact = column_norms(weight.double() + up.double() @ down.double())
    assert torch.allclose(found.double(), exact, rtol=1e-6)


def test_little_more_than_the_inputs_is_kept_for_the_backward_pass():
    layer_on(frozen := nn.Linear(64, 64))
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: kept.append(tensor.numel()), lambda _: None):
        frozen(torch.randn(100, 64, dtype=torch.float64, requires_grad=True))
    assert sum(size >= 100 * 64 for size in kept) == 1
