"""Activations that keep one tensor for the backward pass and compute the rest again, where PyTorch keeps two or three.

The arithmetic is that of the plain functions, forward to the bit. What is computed again is elementwise or a
normalisation: little beside the matrix products. No weight gets a gradient here: they are for frozen weights.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

aten = torch.ops.aten
QUICK_GELU = 1.702  # https://github.com/openai/CLIP/blob/main/clip/model.py


def gated_gelu(projected: Tensor) -> Tensor:
    """Value times GELU of the gate (GEGLU; Shazeer, 2020): [..., 2 * width], value first, to [..., width]."""
    return _GatedGelu.apply(projected)  # type: ignore[no-any-return]


@contextmanager
def gated_gelu_kept_as(projected: Tensor, product: Tensor) -> Iterator[None]:
    """What is done here keeps `projected` instead of `product`, its gated GELU, which is computed again when needed."""

    def pack(tensor: Tensor) -> Tensor | torch.Size:
        return tensor.shape if tensor.data_ptr() == product.data_ptr() else tensor

    def unpack(kept: Tensor | torch.Size) -> Tensor:
        return kept if isinstance(kept, Tensor) else _gated(projected).view(kept)

    projected = projected.detach()
    with torch.autograd.graph.saved_tensors_hooks(pack, unpack):
        yield


def quick_gelu(x: Tensor) -> Tensor:
    """x * sigmoid(1.702 x), the activation of OpenAI's CLIP."""
    return _QuickGelu.apply(x)  # type: ignore[no-any-return]


def norm_silu(x: Tensor, norm: nn.GroupNorm) -> Tensor:
    """SiLU of the group norm of a map [n, channels, h, w]."""
    kind = x.device.type
    if norm.weight.requires_grad or x.dtype != norm.weight.dtype or torch.is_autocast_enabled(kind):
        return functional.silu(norm(x))
    return _NormSilu.apply(x.contiguous(), norm)  # type: ignore[no-any-return]


def _gated(projected: Tensor) -> Tensor:
    value, gate = projected.chunk(2, dim=-1)
    return functional.gelu(gate).mul_(value)


class _GatedGelu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, projected: Tensor) -> Tensor:  # type: ignore[override]
        ctx.save_for_backward(projected)
        return _gated(projected)

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
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
    def forward(ctx: Any, x: Tensor) -> Tensor:  # type: ignore[override]
        ctx.save_for_backward(x)
        return torch.sigmoid(QUICK_GELU * x).mul_(x)

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        gate = torch.sigmoid(QUICK_GELU * x)
        return aten.sigmoid_backward(gradients[0] * x, gate).mul_(QUICK_GELU).addcmul_(gradients[0], gate)  # type: ignore[no-any-return]


class _NormSilu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, norm: nn.GroupNorm) -> Tensor:  # type: ignore[override]
        ctx.save_for_backward(x)
        ctx.norm = norm
        return functional.silu(_group_norm(x, norm)[0], inplace=True)

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        norm: nn.GroupNorm = ctx.norm
        normal, mean, inverse = _group_norm(x, norm)
        gradient = aten.silu_backward(gradients[0].contiguous(), normal)
        sizes = (x.shape[0], x.shape[1], x[0, 0].numel(), norm.num_groups)
        return aten.native_group_norm_backward(gradient, x, mean, inverse, norm.weight, *sizes, [True, False, False])[0], None


def _group_norm(x: Tensor, norm: nn.GroupNorm) -> tuple[Tensor, Tensor, Tensor]:
    """The normal map, and mean and inverse deviation [n, groups]."""
    sizes = (x.shape[0], x.shape[1], x[0, 0].numel(), norm.num_groups)
    return torch.native_group_norm(x, norm.weight, norm.bias, *sizes, norm.eps)
