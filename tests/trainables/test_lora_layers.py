"""The layers of a LoRA against the frozen layer with the product of the two matrices added to its weights."""

from __future__ import annotations

import copy

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from lib_trainer.models import small_convolutions  # noqa: E402
from lib_trainer.trainables.lora_layers import LoraConv, LoraLinear, lora_delta  # noqa: E402

FROZEN = {
    "linear": (lambda: nn.Linear(6, 5), (2, 7, 6)),
    "linear without bias": (lambda: nn.Linear(6, 5, bias=False), (3, 6)),
    "1x1": (lambda: nn.Conv2d(6, 5, 1), (1, 6, 4, 3)),
    "1x1, two pictures": (lambda: nn.Conv2d(6, 5, 1), (2, 6, 4, 3)),
    "1x1, halving": (lambda: nn.Conv2d(6, 5, 1, stride=2), (2, 6, 4, 4)),
    "3x3": (lambda: nn.Conv2d(6, 5, 3, padding=1), (2, 6, 4, 3)),
    "3x3, halving": (lambda: nn.Conv2d(6, 5, 3, padding=1, stride=2), (2, 6, 4, 4)),
}


@pytest.fixture(params=FROZEN.keys())
def kind(request):
    torch.manual_seed(0)
    return FROZEN[request.param]


def layer_on(frozen, alpha=6.0, dropout=0.0):
    """A layer of rank 3 that adds something."""
    frozen.requires_grad_(False)
    layer = (LoraConv if isinstance(frozen, nn.Conv2d) else LoraLinear)(frozen, 3, alpha, dropout)
    layer.down.data.normal_()
    layer.up.data.normal_()
    return layer


def merged(plain, layer):
    """The frozen module's copy computed with W + scale * B A, differentiable in A and B."""
    weight = plain.weight + lora_delta(layer.down, layer.up, layer.scale).to(plain.weight.dtype)
    if isinstance(plain, nn.Conv2d):
        return lambda x: functional.conv2d(x, weight, plain.bias, plain.stride, plain.padding)
    return lambda x: functional.linear(x, weight, plain.bias)


def results(function, x, layer):
    x = x.clone().requires_grad_()
    y = function(x)
    towards = torch.randn(y.shape, generator=torch.Generator().manual_seed(1)).to(y.dtype)
    return (y, *torch.autograd.grad(y, (x, layer.down, layer.up), towards))


@pytest.mark.parametrize("alpha", [3.0, 6.0, -1.5], ids=["scale 1", "scale 2", "negative"])
def test_results_and_gradients_are_those_of_the_merged_weights(kind, alpha):
    make, shape = kind
    frozen = make()
    plain = copy.deepcopy(frozen).requires_grad_(False)
    layer, x = layer_on(frozen, alpha), torch.randn(shape)
    ours, theirs = results(frozen, x, layer), results(merged(plain, layer), x, layer)
    for our, their in zip(ours, theirs, strict=True):
        assert torch.allclose(our, their, atol=1e-5, rtol=1e-4)


def test_gradients_are_those_of_small_differences(kind):
    make, shape = kind
    frozen = make().double()
    layer = layer_on(frozen).double()
    x = torch.randn(shape, dtype=torch.float64, requires_grad=True)

    def function(x, down, up):
        layer.down, layer.up = down, up
        return frozen(x)

    start = (x, layer.down.detach().requires_grad_(), layer.up.detach().requires_grad_())
    del layer.down, layer.up  # plain attributes from here on: parameters can't be replaced by tensors
    assert torch.autograd.gradcheck(function, start)


@pytest.mark.parametrize("way", ["frozen in bf16", "autocast"])
def test_in_16_bits_results_are_near_those_of_32_and_gradients_are_in_32(kind, way):
    make, shape = kind
    frozen = make()
    plain = copy.deepcopy(frozen).requires_grad_(False)
    layer, x = layer_on(frozen), torch.randn(shape)
    theirs = results(merged(plain, layer), x, layer)
    if way == "autocast":
        with torch.autocast("cpu", dtype=torch.bfloat16):
            ours = results(frozen, x, layer)
    else:
        frozen.to(torch.bfloat16)
        ours = results(frozen, x.bfloat16(), layer)
    assert ours[0].dtype == torch.bfloat16
    assert ours[2].dtype == ours[3].dtype == torch.float32
    for our, their in zip(ours, theirs, strict=True):
        assert (our.float() - their).norm() < 0.03 * their.norm()


def test_strength_nought_gives_the_frozen_module_to_the_bit_and_release_too(kind):
    make, shape = kind
    frozen = make()
    plain = copy.deepcopy(frozen)
    layer, x = layer_on(frozen), torch.randn(shape)
    with torch.no_grad():
        assert not torch.allclose(frozen(x), plain(x), atol=0.1)
        layer.set_strength(0)
        assert torch.equal(frozen(x), plain(x))
        layer.set_strength(1)
        layer.release()
        assert torch.equal(frozen(x), plain(x))


def test_strength_scales_what_is_added(kind):
    make, shape = kind
    frozen = make()
    plain = copy.deepcopy(frozen)
    layer, x = layer_on(frozen), torch.randn(shape)
    with torch.no_grad():
        base, full = plain(x), frozen(x)
        for strength in (0.5, -1.0):
            layer.set_strength(strength)
            assert torch.allclose(frozen(x) - base, strength * (full - base), atol=1e-4)


def test_dropout_leaves_out_values_of_the_rank_while_training_only(kind):
    make, shape = kind
    frozen = make()
    plain = copy.deepcopy(frozen)
    layer, x = layer_on(frozen, dropout=0.5), torch.randn(shape)
    torch.manual_seed(0)
    different = [frozen(x) for _ in range(3)]
    assert not torch.equal(different[0], different[1])
    layer.train(False)
    assert torch.allclose(frozen(x), merged(plain, layer)(x), atol=1e-5)
    layer.train(True)
    many = torch.stack([frozen(x).detach() for _ in range(3000)])
    standard_error = many.std(0) / 3000**0.5
    assert ((many.mean(0) - merged(plain, layer)(x)).abs() <= 5 * standard_error + 1e-4).all()


def test_a_module_that_is_trained_too_gets_its_gradient():
    frozen = nn.Linear(6, 5)
    layer = layer_on(frozen)
    frozen.requires_grad_(True)
    frozen(torch.randn(3, 6)).square().sum().backward()
    assert frozen.weight.grad.abs().sum() > 0
    assert layer.down.grad.abs().sum() > 0


@pytest.mark.parametrize("make", [lambda: nn.Linear(64, 32), lambda: nn.Conv2d(64, 32, 1)], ids=["linear", "1x1"])
def test_of_activations_only_the_input_and_the_ranks_values_are_kept(make):
    frozen = make()
    layer_on(frozen)
    x = torch.randn((1, 64, 4, 4) if isinstance(frozen, nn.Conv2d) else (16, 64), requires_grad=True)
    weights = {frozen.weight.data_ptr()}
    kept = {}

    def pack(tensor):
        kept[tensor.data_ptr()] = tensor.nbytes
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        frozen(x)
    activations = sum(size for place, size in kept.items() if place not in weights)
    a_and_b = 4 * 3 * (64 + 32)
    assert activations == x.nbytes + 16 * 3 * 4 + a_and_b


def test_on_a_3x3_convolution_that_chooses_its_way_the_input_is_kept_once(monkeypatch):
    monkeypatch.setattr(small_convolutions, "FEWEST_WEIGHTS", 1)
    frozen = nn.Conv2d(8, 8, 3, padding=1).requires_grad_(False)
    plain = copy.deepcopy(frozen)
    small_convolutions.use_matrix_products(frozen)
    layer, x = layer_on(frozen), torch.randn(1, 8, 4, 4)
    ours, theirs = results(frozen, x, layer), results(merged(plain, layer), x, layer)
    for our, their in zip(ours, theirs, strict=True):
        assert torch.allclose(our, their, atol=1e-4, rtol=1e-4)
    places = []
    with torch.autograd.graph.saved_tensors_hooks(lambda each: places.append(each.shape) or each, lambda t: t):
        frozen(x.requires_grad_())
    assert places.count((1, 8, 4, 4)) == 1
