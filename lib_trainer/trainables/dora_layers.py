"""The layers of a DoRA, without ever building the changed weight.

Lengths by input scale the input: with g = lengths / norms of the columns of W + scale * B A, both [in],
y = W (x * g) + scale * B (A (x * g)) + b costs little more than a LoRA. The norms come from products of the rank's
size, |W + s B A|^2 = |W|^2 + 2 s (B^T W) . A + s^2 (B^T B A) . A, column by column.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from lib_trainer.trainables.lora_layers import FrozenRows, arithmetic_of, is_pointwise, matrix_shapes, scaled
from lib_trainer.trainables.weight_layers import Layer

SHORTEST = 1e-12  # no division by nought for an input that the model never uses


def column_squares(weight: Tensor) -> Tensor:
    """The sum of the squares of each input's values in a weight [out, in, ...]: [in]."""
    return weight.square().sum(dim=[axis for axis in range(weight.ndim) if axis != 1])


def column_norms(weight: Tensor) -> Tensor:
    """The norm of each input's values in a weight [out, in, ...]: [in]."""
    return column_squares(weight).sqrt().clamp_min(SHORTEST)


def changed_norms(weight: Tensor, squares: Tensor, down: Tensor, up: Tensor, scale: float) -> Tensor:
    """The norms [in] of the columns of W + scale * B A.

    Args:
        weight: W [out, in, ...].
        squares: `column_squares` of it.
        down: A [rank, in, ...].
        up: B [out, rank, ...].
        scale: strength of the addition.
    """
    b = up.flatten(1)
    a, across = down.flatten(2) if down.ndim > 2 else down[..., None], weight.flatten(1)
    crossed = (b.t() @ across).view(a.shape)
    own = ((b.t() @ b) @ a.flatten(1)).view(a.shape)
    added = ((2 * scale * crossed + scale**2 * own) * a).sum(dim=(0, 2))
    return (squares + added).clamp_min(SHORTEST**2).sqrt()


class _RowsWithDora(torch.autograd.Function):
    """Rows [..., in] to [..., out]; only x, A (x * g), A, B and g are kept for the backward pass."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, down: Tensor, up: Tensor, gain: Tensor, frozen: FrozenRows) -> Tensor:
        rows = x.reshape(-1, x.shape[-1])
        stretched = rows * gain
        hidden = scaled(stretched @ down.t(), frozen.scale)
        y = functional.linear(stretched, frozen.weight, frozen.bias)
        y.addmm_(hidden, up.t())
        ctx.save_for_backward(rows, hidden, down, up, gain)
        ctx.frozen = frozen
        return y.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        rows, hidden, down, up, gain = ctx.saved_tensors
        weight, _, scale = ctx.frozen
        gradient = gradients[0].reshape(-1, gradients[0].shape[-1])
        to_hidden = scaled(gradient @ up, scale)
        to_up = gradient.t() @ hidden
        to_down = (to_hidden.t() @ rows) * gain
        to_stretched = (gradient @ weight).addmm_(to_hidden, down)
        to_gain = torch.einsum("ni,ni->i", to_stretched, rows)
        to_x = None
        if ctx.needs_input_grad[0]:
            to_x = to_stretched.mul_(gain).view(*gradients[0].shape[:-1], -1)
        return to_x, to_down, to_up, to_gain, None


class DoraLayer(Layer):
    """On a linear layer, x [..., in], or a convolution, x [n, in, h, w]."""

    alpha: float
    rank: int

    def __init__(self, frozen: nn.Linear | nn.Conv2d, rank: int, alpha: float) -> None:
        super().__init__(frozen)
        self.rank, self.alpha = rank, alpha
        device = frozen.weight.device
        shapes = matrix_shapes(frozen, rank)
        ones = (1,) * (frozen.weight.ndim - 2)
        self.down = nn.Parameter(torch.zeros(shapes[0], device=device))
        self.up = nn.Parameter(torch.zeros(shapes[1], device=device))
        self.lengths = nn.Parameter(torch.zeros((1, frozen.weight.shape[1], *ones), device=device))
        self._squares: tuple[tuple[int, int], Tensor] | None = None

    @property
    def trained(self) -> dict[str, nn.Parameter]:
        return {"lora_down.weight": self.down, "lora_up.weight": self.up, "dora_scale": self.lengths}

    def forward(self, x: Tensor) -> Tensor:
        frozen = self.frozen[0]
        x = x.to(arithmetic_of(x))
        if isinstance(frozen, nn.Linear):
            return self._on_rows(x)
        if self.strength != 0 and is_pointwise(frozen):
            return self._on_rows(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2).contiguous()
        weight, bias = frozen.weight.to(x.dtype), None if frozen.bias is None else frozen.bias.to(x.dtype)
        if self.strength == 0:
            return frozen._conv_forward(x, weight, bias)  # type: ignore[no-any-return]
        gain = self._gain().view(1, -1, 1, 1)
        stretched = x * gain.to(x.dtype)
        plain = stretched if self.strength == 1 else x * self._blended(gain).to(x.dtype)
        how = (None, frozen.stride, frozen.padding, frozen.dilation)
        hidden = functional.conv2d(stretched, self.down.to(x.dtype), *how)
        y: Tensor = frozen._conv_forward(plain, weight, bias)
        return y + functional.conv2d(hidden, (self.up * (self.strength * self._scale)).to(x.dtype))

    @property
    def _scale(self) -> float:
        return self.alpha / self.rank

    def _on_rows(self, x: Tensor) -> Tensor:
        frozen = self.frozen[0]
        weight = frozen.weight.flatten(1).to(x.dtype)
        bias = None if frozen.bias is None else frozen.bias.to(x.dtype)
        if self.strength == 0:
            return functional.linear(x, weight, bias)
        gain, down, up = self._gain(), self.down.flatten(1).to(x.dtype), self.up.flatten(1).to(x.dtype)
        if self.strength != 1 or frozen.weight.requires_grad:
            hidden = functional.linear(x * gain.to(x.dtype), down)
            y = functional.linear(x * self._blended(gain).to(x.dtype), weight, bias)
            return y + functional.linear(hidden, up * (self.strength * self._scale))
        told: Tensor = _RowsWithDora.apply(  # type: ignore[no-untyped-call]
            x, down, up, gain.to(x.dtype), FrozenRows(weight, bias, self._scale)
        )
        return told

    def _blended(self, gain: Tensor) -> Tensor:
        """At another strength the change W' - W counts more or less: W itself gets what it doesn't."""
        return 1 - self.strength + self.strength * gain

    def _gain(self) -> Tensor:
        """What each input is multiplied by [in]."""
        with torch.autocast(self.down.device.type, enabled=False):
            weight = self.frozen[0].weight.to(self.down.dtype)
            norms = changed_norms(weight, self._column_squares(weight), self.down, self.up, self._scale)
            return self.lengths.flatten() / norms

    def _column_squares(self, weight: Tensor) -> Tensor:
        """Those of the frozen weight, kept for as long as it stays as it is."""
        frozen = self.frozen[0].weight
        if frozen.requires_grad:
            return column_squares(weight)
        mark = (frozen.data_ptr(), frozen._version)
        if self._squares is None or self._squares[0] != mark:
            self._squares = mark, column_squares(weight.detach())
        return self._squares[1]
