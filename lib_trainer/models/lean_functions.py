"""Activations that keep one tensor for the backward pass and compute the rest again, where PyTorch keeps two or three.

The arithmetic is that of the plain functions, forward to the bit. What is computed again is elementwise or a
normalisation: little beside the matrix products. No weight gets a gradient here: they are for frozen weights.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

_Layout = tuple[torch.Size, tuple[int, ...]]

aten = torch.ops.aten
WORTH_COMPUTING_AGAIN = 2**16  # values
QUICK_GELU = 1.702  # https://github.com/openai/CLIP/blob/main/clip/model.py


def gated_gelu(projected: Tensor) -> Tensor:
    """Value times GELU of the gate (GEGLU; Shazeer, 2020): [..., 2 * width], value first, to [..., width]."""
    product: Tensor = _GatedGelu.apply(projected)  # type: ignore[no-untyped-call]
    return product


def gated_gelu_again(projected: Tensor) -> Tensor:
    """What `gated_gelu` gives, without a backward pass."""
    value, gate = projected.chunk(2, dim=-1)
    return functional.gelu(gate).mul_(value)


def computed_again(result: Tensor, function: Callable[[Tensor], Tensor], x: Tensor) -> AbstractContextManager[object]:
    """Where layers within keep `result` for their backward pass, it is computed again by `function(x)` when needed.

    Args:
        result: what the function gave, contiguous; where it is small, it is kept: that costs less.
        function: something cheap, such as a normalisation.
        x: what is kept anyway.
    """
    if result.numel() < WORTH_COMPUTING_AGAIN or not torch.is_grad_enabled():
        return nullcontext()
    x, start, dtype = x.detach(), result.data_ptr(), result.dtype  # a hook must not hold the result itself

    def pack(tensor: Tensor) -> Tensor | _Layout:
        same = tensor.data_ptr() == start and tensor.dtype == dtype
        return (tensor.shape, tensor.stride()) if same else tensor

    def unpack(kept: Tensor | _Layout) -> Tensor:
        if isinstance(kept, Tensor):
            return kept
        with torch.no_grad():
            return function(x).as_strided(*kept)

    return torch.autograd.graph.saved_tensors_hooks(pack, unpack)


def quick_gelu(x: Tensor) -> Tensor:
    """x * sigmoid(1.702 x), the activation of OpenAI's CLIP."""
    activated: Tensor = _QuickGelu.apply(x)  # type: ignore[no-untyped-call]
    return activated


def norm_silu(x: Tensor, norm: nn.GroupNorm) -> Tensor:
    """SiLU of the group norm of a map [n, channels, h, w]."""
    kind = x.device.type
    ridden_on = "forward" in vars(norm)  # by a layer of a network
    if ridden_on or norm.weight.requires_grad or x.dtype != norm.weight.dtype or torch.is_autocast_enabled(kind):
        return functional.silu(norm(x))
    activated: Tensor = _NormSilu.apply(x.contiguous(), norm)  # type: ignore[no-untyped-call]
    return activated


class _GatedGelu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, projected: Tensor) -> Tensor:
        ctx.save_for_backward(projected)
        return gated_gelu_again(projected)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (projected,) = ctx.saved_tensors
        value, gate = projected.chunk(2, dim=-1)
        result = torch.empty_like(projected)
        to_value, to_gate = result.chunk(2, dim=-1)
        torch.mul(gradients[0], functional.gelu(gate), out=to_value)
        aten.gelu_backward.grad_input(gradients[0] * value, gate, grad_input=to_gate)
        return result


class _QuickGelu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.sigmoid(QUICK_GELU * x).mul_(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        gate = torch.sigmoid(QUICK_GELU * x)
        return aten.sigmoid_backward(gradients[0] * x, gate).mul_(QUICK_GELU).addcmul_(gradients[0], gate)  # type: ignore[no-any-return]


class _NormSilu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, norm: nn.GroupNorm) -> Tensor:
        ctx.save_for_backward(x)
        ctx.norm = norm
        return functional.silu(_group_norm(x, norm)[0], inplace=True)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        norm: nn.GroupNorm = ctx.norm
        normal, mean, inverse = _group_norm(x, norm)
        gradient = aten.silu_backward(gradients[0].contiguous(), normal)
        sizes, wanted = (*_sizes(x), norm.num_groups), [True, False, False]
        return aten.native_group_norm_backward(gradient, x, mean, inverse, norm.weight, *sizes, wanted)[0], None


def _group_norm(x: Tensor, norm: nn.GroupNorm) -> tuple[Tensor, Tensor, Tensor]:
    """The normal map, and mean and inverse deviation [n, groups]."""
    return torch.native_group_norm(x, norm.weight, norm.bias, *_sizes(x), norm.num_groups, norm.eps)


def _sizes(x: Tensor) -> tuple[int, int, int]:
    """Pictures, channels and positions of a map."""
    return x.shape[0], x.shape[1], x.shape[2] * x.shape[3]
