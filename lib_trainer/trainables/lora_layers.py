"""The layers of a LoRA: y = W x + b + strength * alpha / rank * B (A x), with W frozen and A, B trained.

The scale is applied on the side of the rank, A and B are cast to the arithmetic's type (never the activations to
theirs), and the addition is made in place into the frozen layer's output.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from lib_trainer.trainables.weight_layers import Layer


def lora_delta(down: Tensor, up: Tensor, scale: float) -> Tensor:
    """The weight that the two matrices add, in fp32.

    Args:
        down: [rank, in] or [rank, in, kh, kw].
        up: [out, rank] or [out, rank, 1, 1].
        scale: strength * alpha / rank.

    Returns:
        [out, in] or [out, in, kh, kw] (Hu et al., 2021, section 4.1).
    """
    product = up.float().flatten(1) @ down.float().flatten(1)
    return scale * product.reshape(up.shape[0], *down.shape[1:])


def product_norm(down: Tensor, up: Tensor) -> Tensor:
    """The Frobenius norm of B A, from products of the rank's size: |B A|^2 = sum of (B^T B) * (A A^T)."""
    a, b = down.flatten(1), up.flatten(1)
    return ((b.t() @ b) * (a @ a.t())).sum().clamp_min(0).sqrt()


def spread_as_new(tensor: Tensor, generator: torch.Generator) -> None:
    """Give it values from the uniform distribution of a new linear layer [out, in] (Kaiming, a = sqrt 5)."""
    bound = 1 / math.sqrt(tensor[0].numel())
    tensor.data.copy_(torch.rand(tensor.shape, generator=generator) * (2 * bound) - bound)


def scaled(product: Tensor, scale: float) -> Tensor:
    """Multiply in place; alpha is often the rank, and a small step has two hundred of these."""
    return product if scale == 1 else product.mul_(scale)


class FrozenRows(NamedTuple):
    """W [out, in] of a layer, its bias, and how much of B A is added to it."""

    weight: Tensor
    bias: Tensor | None
    scale: float


class _RowsWithLora(torch.autograd.Function):
    """Rows [..., in] to [..., out], B A added in place; only x, A x, A and B are kept for the backward pass."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, down: Tensor, up: Tensor, frozen: FrozenRows) -> Tensor:
        rows = x.reshape(-1, x.shape[-1])
        hidden = scaled(rows @ down.t(), frozen.scale)
        y = functional.linear(rows, frozen.weight, frozen.bias)
        y.addmm_(hidden, up.t())
        ctx.save_for_backward(rows, hidden, down, up)
        ctx.frozen = frozen
        return y.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        rows, hidden, down, up = ctx.saved_tensors
        weight, _, scale = ctx.frozen
        gradient = gradients[0].reshape(-1, gradients[0].shape[-1])
        to_hidden = scaled(gradient @ up, scale)
        to_up = gradient.t() @ hidden
        to_down = to_hidden.t() @ rows
        to_x = None
        if ctx.needs_input_grad[0]:
            to_x = (gradient @ weight).addmm_(to_hidden, down).view(*gradients[0].shape[:-1], -1)
        return to_x, to_down, to_up, None


class LoraLayer(Layer):
    """What the linear and the convolutional layer share: A, B, their scale, and riding on a frozen module."""

    alpha: float
    rank: int

    def __init__(self, frozen: nn.Linear | nn.Conv2d, rank: int, alpha: float, dropout: float = 0.0) -> None:
        super().__init__(frozen)
        self.rank, self.alpha, self.dropout = rank, alpha, dropout
        self.rank_dropout = self.module_dropout = 0.0
        self.max_norm: float | None = None
        self.up_rate_ratio = 1.0
        self.scale = alpha / rank
        device = frozen.weight.device
        shapes = matrix_shapes(frozen, rank)
        self.down = nn.Parameter(torch.zeros(shapes[0], device=device))
        self.up = nn.Parameter(torch.zeros(shapes[1], device=device))

    @property
    def trained(self) -> dict[str, nn.Parameter]:
        return {"lora_down.weight": self.down, "lora_up.weight": self.up}

    def rate_factor(self, name: str) -> float:
        return self.up_rate_ratio if name == "lora_up.weight" else 1.0

    def set_strength(self, strength: float) -> None:
        self.scale = strength * self.alpha / self.rank

    def settle(self) -> None:
        """Scale A and B alike so that the norm of scale * B A is not above the limit."""
        if self.max_norm is not None:
            with torch.no_grad():
                norm = abs(self.scale) * product_norm(self.down, self.up)
                share = (self.max_norm / norm.clamp_min(self.max_norm)).sqrt()
                self.down.mul_(share)
                self.up.mul_(share)

    def _thinned(self, down: Tensor) -> Tensor:
        """A without the directions that rank dropout leaves out, the others made up for them; or nothing of it."""
        if not self.training or (self.rank_dropout == 0 and self.module_dropout == 0):
            return down
        kept = torch.rand(self.rank, device=down.device) >= self.rank_dropout
        whole = torch.rand(1, device=down.device) >= self.module_dropout
        factors = (kept & whole).to(down.dtype) / (1 - self.rank_dropout)
        return down * factors.view(-1, *[1] * (down.ndim - 1))

    def _on_rows(self, x: Tensor) -> Tensor:
        """Rows [..., in], such as tokens, through a frozen matrix and the layer's own."""
        frozen = self.frozen[0]
        dtype = arithmetic_of(x)
        x = x.to(dtype)
        weight = frozen.weight.flatten(1).to(dtype)
        bias = None if frozen.bias is None else frozen.bias.to(dtype)
        if self.scale == 0:
            return functional.linear(x, weight, bias)
        down, up = self._thinned(self.down.flatten(1).to(dtype)), self.up.flatten(1).to(dtype)
        if (self.dropout and self.training) or frozen.weight.requires_grad:
            hidden = functional.dropout(functional.linear(x, down), self.dropout, self.training)
            return functional.linear(x, weight, bias) + functional.linear(hidden, up * self.scale)
        y: Tensor = _RowsWithLora.apply(x, down, up, FrozenRows(weight, bias, self.scale))  # type: ignore[no-untyped-call]
        return y


class LoraLinear(LoraLayer):
    """On a linear layer; x is [..., in]."""

    def forward(self, x: Tensor) -> Tensor:
        return self._on_rows(x)


class LoraConv(LoraLayer):
    """On a convolution; x is [n, in, h, w], B is a 1x1 convolution."""

    def forward(self, x: Tensor) -> Tensor:
        frozen = self.frozen[0]
        assert isinstance(frozen, nn.Conv2d)
        if self.scale != 0 and is_pointwise(frozen):
            return self._on_rows(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2).contiguous()
        y: Tensor = frozen._conv_forward(x, frozen.weight, frozen.bias)
        if self.scale == 0:
            return y
        down, up = self._thinned(self.down.to(y.dtype)), (self.up * self.scale).to(y.dtype)
        hidden = functional.conv2d(x, down, None, frozen.stride, frozen.padding, frozen.dilation)
        hidden = functional.dropout(hidden, self.dropout, self.training)
        return y + functional.conv2d(hidden, up)


def is_pointwise(frozen: nn.Conv2d) -> bool:
    """Whether a convolution looks at one pixel at a time, so that pixels are rows."""
    return frozen.kernel_size == frozen.stride == (1, 1) and frozen.padding == (0, 0) and frozen.groups == 1


def matrix_shapes(frozen: nn.Linear | nn.Conv2d, rank: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Those of A and B."""
    if isinstance(frozen, nn.Conv2d):
        return (rank, frozen.in_channels, *frozen.kernel_size), (frozen.out_channels, rank, 1, 1)
    return (rank, frozen.in_features), (frozen.out_features, rank)


def arithmetic_of(x: Tensor) -> torch.dtype:
    """The type to compute in: that of autocast where it is on, else that of x."""
    kind = x.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype
