"""Convolutions with frozen weights on a CPU: nothing is kept of their input, and small maps go through matrix products.

A convolution of the CPU libraries reorders its weights at each call. Where the map is small and the weights are many,
as in the deepest levels of a U-Net at batch 1, that costs more than the arithmetic. Here the map is unfolded instead
(im2col; Chellapilla et al., 2006) and the weights are read once, as they lie. PyTorch's own convolution keeps its
input for the gradient of the weights, which frozen ones don't have.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.grad import conv2d_input

MOST_POSITIONS = 64  # output positions of all pictures together; measured, beyond it the libraries win
FEWEST_WEIGHTS = 2**19


def use_matrix_products(module: nn.Module) -> int:
    """Let every frozen convolution with many weights in `module` choose by the size of its input.

    Returns:
        How many convolutions choose now.
    """
    chosen = [part for part in module.modules() if isinstance(part, nn.Conv2d) and _is_suitable(part)]
    for convolution in chosen:
        convolution._conv_forward = _Chooser(convolution)  # type: ignore[method-assign, assignment]
    return len(chosen)


def _is_suitable(convolution: nn.Conv2d) -> bool:
    plain = convolution.groups == 1 and convolution.dilation == (1, 1) and convolution.padding_mode == "zeros"
    large = convolution.weight.numel() >= FEWEST_WEIGHTS
    return plain and large and not isinstance(convolution.padding, str)


class _Chooser:
    """Takes the place of `Conv2d._conv_forward`."""

    def __init__(self, convolution: nn.Conv2d) -> None:
        self._library = convolution._conv_forward
        self._kernel = convolution.kernel_size
        self._how = {"padding": convolution.padding, "stride": convolution.stride}

    def __call__(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        trained = weight.requires_grad or (bias is not None and bias.requires_grad)
        if trained or x.dtype != weight.dtype or torch.is_autocast_enabled("cpu"):
            plain: Tensor = self._library(x, weight, bias)
            return plain
        small = self._kernel != (1, 1) and self._positions(x) <= MOST_POSITIONS
        function = _MatrixConvolution if small else _LibraryConvolution
        y: Tensor = function.apply(x, weight, bias, self._how)  # type: ignore[no-untyped-call]
        return y

    def _positions(self, x: Tensor) -> int:
        height, width = _output_size(x, self._kernel, self._how)
        return x.shape[0] * height * width


def _output_size(x: Tensor, kernel: tuple[int, ...], how: dict[str, Any]) -> tuple[int, int]:
    places = zip(x.shape[2:], how["padding"], kernel, how["stride"], strict=True)
    height, width = ((side + 2 * padding - size) // stride + 1 for side, padding, size, stride in places)
    return height, width


class _LibraryConvolution(torch.autograd.Function):
    """PyTorch's convolution of x [n, in, h, w]; only x has a gradient, so that only the weight is kept."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, how: dict[str, Any]) -> Tensor:
        ctx.save_for_backward(weight)
        ctx.how, ctx.shape = how, x.shape
        return functional.conv2d(x, weight, bias, **how)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (weight,) = ctx.saved_tensors
        to_x = conv2d_input(ctx.shape, weight, gradients[0], **ctx.how)  # type: ignore[no-untyped-call]
        return to_x, None, None, None


class _MatrixConvolution(torch.autograd.Function):
    """The same by matrix products with weight [out, in, kh, kw]."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, how: dict[str, Any]) -> Tensor:
        ctx.save_for_backward(weight)
        ctx.how, ctx.size = how, x.shape[2:]
        kernel = weight.shape[2:]
        columns = functional.unfold(x, kernel, **how).transpose(0, 1)  # [in * kh * kw, n, positions]
        y = weight.flatten(1) @ columns.flatten(1)
        if bias is not None:
            y += bias[:, None]
        y = y.view(-1, *columns.shape[1:]).transpose(0, 1).contiguous()
        return y.view(*y.shape[:2], *_output_size(x, kernel, how))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (weight,) = ctx.saved_tensors
        gradient = gradients[0].flatten(2).transpose(1, 2)  # [n, positions, out]: reads the weights as they lie
        rows = gradient.reshape(-1, gradient.shape[2]) @ weight.flatten(1)
        columns = rows.view(*gradient.shape[:2], -1).transpose(1, 2)
        return functional.fold(columns, ctx.size, weight.shape[2:], **ctx.how), None, None, None
