"""The activations that keep less, against PyTorch's own functions and against numerical gradients."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from lib_trainer.models import lean_functions  # noqa: E402
from lib_trainer.models.lean_functions import (  # noqa: E402
    computed_again,
    gated_gelu,
    gated_gelu_again,
    norm_silu,
    quick_gelu,
)


def plain_gated_gelu(projected):
    value, gate = projected.chunk(2, dim=-1)
    return value * functional.gelu(gate)


def plain_quick_gelu(x):
    return x * torch.sigmoid(1.702 * x)


def frozen_norm(dtype):
    norm = nn.GroupNorm(4, 8, dtype=dtype).requires_grad_(False)
    norm.weight.data.normal_()
    norm.bias.data.normal_()
    return norm


def cases(dtype):
    norm = frozen_norm(dtype)
    return {
        "gated_gelu": (gated_gelu, plain_gated_gelu, (2, 3, 8)),
        "quick_gelu": (quick_gelu, plain_quick_gelu, (2, 3, 8)),
        "norm_silu": (lambda x: norm_silu(x, norm), lambda x: functional.silu(norm(x)), (2, 8, 3, 5)),
    }


def kept_bytes(function, x):
    """The bytes of all that a function keeps for the backward pass of x."""
    kept = {}

    def pack(tensor):
        kept[tensor.data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = function(x)
    return sum(kept.values()), result


NAMES = ["gated_gelu", "quick_gelu", "norm_silu"]


@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_those_of_small_differences(name):
    function, _, shape = cases(torch.float64)[name]
    assert torch.autograd.gradcheck(function, torch.randn(shape, dtype=torch.float64, requires_grad=True))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.bfloat16, 2e-2)])
def test_results_are_those_of_the_plain_functions_to_the_bit_and_gradients_to_rounding(name, dtype, tolerance):
    function, plain, shape = cases(dtype)[name]
    x = torch.randn(shape, dtype=dtype, requires_grad=True)
    ours, theirs = function(x), plain(x)
    assert torch.equal(ours, theirs)
    towards = torch.randn_like(ours)
    (our,), (their,) = torch.autograd.grad(ours, x, towards), torch.autograd.grad(theirs, x, towards)
    assert torch.allclose(our, their, atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("name", NAMES)
def test_only_the_input_is_kept(name):
    function, plain, shape = cases(torch.float32)[name]
    x = torch.randn(*shape[:-1], shape[-1] * 16, requires_grad=True)
    ours, theirs = kept_bytes(function, x)[0], kept_bytes(plain, x)[0]
    assert ours == x.nbytes
    assert theirs > 1.4 * ours


def test_a_norm_with_weights_to_train_and_one_under_autocast_take_pytorchs_own_way():
    norm, x = frozen_norm(torch.float32), torch.randn(2, 8, 4, 4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(norm_silu(x, norm), functional.silu(norm(x)))
    norm.requires_grad_(True)
    norm_silu(x, norm).sum().backward()
    assert norm.weight.grad.abs().sum() > 0


def test_a_map_in_another_memory_order_gives_the_same():
    norm, x = frozen_norm(torch.float32), torch.randn(2, 8, 4, 4)
    assert torch.equal(norm_silu(x.to(memory_format=torch.channels_last), norm), norm_silu(x, norm))


class Chain:
    """A normalisation, and a layer that keeps its input because its weights are trained."""

    def __init__(self):
        self.norm = nn.LayerNorm(16).requires_grad_(False)
        self.layer = nn.Linear(16, 4)
        self.x = torch.randn(3, 5, 16, requires_grad=True)

    def __call__(self, again):
        normal = self.norm(self.x)
        with computed_again(normal, self.norm, self.x) if again else torch.enable_grad():
            return self.layer(normal)

    def gradients(self, again):
        return torch.autograd.grad(self(again).square().sum(), (self.x, self.layer.weight))


def test_what_is_computed_again_gives_the_same_gradients(monkeypatch):
    monkeypatch.setattr(lean_functions, "WORTH_COMPUTING_AGAIN", 0)
    chain = Chain()
    assert all(map(torch.equal, chain.gradients(again=True), chain.gradients(again=False)))


@pytest.mark.parametrize(("worth", "kept"), [(0, False), (10**6, True)])
def test_what_is_computed_again_is_not_kept_unless_it_is_small(monkeypatch, worth, kept):
    monkeypatch.setattr(lean_functions, "WORTH_COMPUTING_AGAIN", worth)
    calls = []
    chain = Chain()
    chain.norm.register_forward_hook(lambda *_: calls.append(1))
    result = chain(again=True)
    assert len(calls) == 1
    result.sum().backward()
    assert len(calls) == (1 if kept else 2)


def test_what_another_function_made_is_kept_as_it_is(monkeypatch):
    monkeypatch.setattr(lean_functions, "WORTH_COMPUTING_AGAIN", 0)
    x = torch.randn(4, 16, requires_grad=True)
    with computed_again(torch.randn(4, 8), gated_gelu_again, x):
        result = x * x
    assert torch.equal(torch.autograd.grad(result.sum(), x)[0], 2 * x)
