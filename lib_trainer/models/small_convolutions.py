"""Convolutions over small maps as matrix products, which on a CPU are up to five times faster.

A convolution of the CPU libraries reorders its weights at each call. Where the map is small and the weights are many,
as in the deepest levels of a U-Net at batch 1, that costs more than the arithmetic. Here the map is unfolded instead
(im2col; Chellapilla et al., 2006) and the weights are read once, as they lie. Only for frozen weights.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

MOST_POSITIONS = 64  # output positions of all pictures together; measured, beyond it the libraries win
FEWEST_WEIGHTS = 2**20


def use_matrix_products(module: nn.Module) -> int:
    """Let every frozen convolution with many weights in `module` choose by the size of its input.

    Returns:
        How many convolutions choose now.
    """
    chosen = [part for part in module.modules() if isinstance(part, nn.Conv2d) and _is_suitable(part)]
    for convolution in chosen:
        convolution._conv_forward = _Chooser(convolution)  # type: ignore[method-assign]
    return len(chosen)


def _is_suitable(convolution: nn.Conv2d) -> bool:
    plain = convolution.groups == 1 and convolution.dilation == (1, 1) and convolution.padding_mode == "zeros"
    large = convolution.weight.numel() >= FEWEST_WEIGHTS and convolution.kernel_size != (1, 1)
    return plain and large and not isinstance(convolution.padding, str) and not convolution.weight.requires_grad


class _Chooser:
    """Takes the place of `Conv2d._conv_forward`."""

    def __init__(self, convolution: nn.Conv2d) -> None:
        self._library = convolution._conv_forward
        self._kernel, self._stride, self._padding = convolution.kernel_size, convolution.stride, convolution.padding

    def __call__(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        height, width = (
            (side + 2 * padding - kernel) // stride + 1
            for side, padding, kernel, stride in zip(x.shape[2:], self._padding, self._kernel, self._stride, strict=True)
        )
        if x.shape[0] * height * width > MOST_POSITIONS or x.dtype != weight.dtype or torch.is_autocast_enabled("cpu"):
            return self._library(x, weight, bias)
        how = {"kernel_size": self._kernel, "padding": self._padding, "stride": self._stride}
        y: Tensor = _MatrixConvolution.apply(x, weight, how)
        y = y.view(x.shape[0], -1, height, width)
        return y if bias is None else y + bias.view(1, -1, 1, 1)


class _MatrixConvolution(torch.autograd.Function):
    """x [n, in, h, w] and weight [out, in, kh, kw] to [n, out, positions]; only the input has a gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, how: dict[str, Any]) -> Tensor:  # type: ignore[override]
        ctx.save_for_backward(weight)
        ctx.how, ctx.size = how, x.shape[2:]
        columns = functional.unfold(x, **how).transpose(0, 1)  # [in * kh * kw, n, positions]
        y = weight.flatten(1) @ columns.flatten(1)
        return y.view(-1, *columns.shape[1:]).transpose(0, 1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (weight,) = ctx.saved_tensors
        gradient = gradients[0].transpose(1, 2)  # [n, positions, out]: this order reads the weights as they lie
        rows = gradient.reshape(-1, gradient.shape[2]) @ weight.flatten(1)
        columns = rows.view(*gradient.shape[:2], -1).transpose(1, 2)
        return functional.fold(columns, ctx.size, **ctx.how), None, None
