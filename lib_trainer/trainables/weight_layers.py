"""Layers that ride on a frozen module and change its weight: y = (W + strength * delta) x + b + strength * delta of b.

The changed weight is not kept for the backward pass: it is computed again from the few trained tensors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from lib_trainer.trainables.layered import Design, Named
    from lib_trainer.trainables.places import Place

DeltaOfWeight = Callable[["Named", Tensor], Tensor]  # of the trained tensors and the frozen weight, in their type


def spread(tensor: Tensor, deviation: float, generator: torch.Generator) -> None:
    """Give it values from the normal distribution around nought."""
    tensor.data.copy_(torch.randn(tensor.shape, generator=generator) * deviation)


class Layer(nn.Module):
    """The base of all: rides on a frozen module, holds trained tensors by the last part of their name in files."""

    alpha: float | None = None
    rank: int | None = None

    def __init__(self, frozen: nn.Module) -> None:
        super().__init__()
        self.frozen: Any = [frozen]  # in a list: not a sub-module, its weights are not ours
        self.strength = 1.0
        frozen.forward = self.forward

    @property
    def trained(self) -> dict[str, nn.Parameter]:
        """The trained tensors, in a stable order."""
        raise NotImplementedError

    def tensors(self) -> dict[str, Tensor]:
        """What the file holds of it."""
        alpha = {} if self.alpha is None else {"alpha": torch.tensor(self.alpha)}
        return {**{name: tensor.detach() for name, tensor in self.trained.items()}, **alpha}

    def rate_factor(self, name: str) -> float:
        """What the learning rate of a trained tensor is multiplied by."""
        return 1.0

    def set_strength(self, strength: float) -> None:
        self.strength = strength

    def settle(self) -> None:
        """What is due after each update."""

    def release(self) -> None:
        """Give the frozen module its own forward back."""
        del self.frozen[0].forward


class WeightLayer(Layer):
    """On a linear layer, x [..., in], or a convolution, x [n, in, h, w]; a tensor "diff_b" is added to the bias."""

    def __init__(self, frozen: nn.Module, design: Design, place: Place, delta: DeltaOfWeight) -> None:
        super().__init__(frozen)
        self.alpha, self.rank = design.alpha, design.rank
        device, shapes = self.frozen[0].weight.device, design.shapes(place)
        values = [nn.Parameter(torch.zeros(shape, device=device)) for shape in shapes.values()]
        self._names, self._values, self._delta = list(shapes), nn.ParameterList(values), delta

    @property
    def trained(self) -> dict[str, nn.Parameter]:
        return dict(zip(self._names, self._values, strict=True))

    def forward(self, x: Tensor) -> Tensor:
        frozen = self.frozen[0]
        kind = x.device.type
        x = x.to(torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype)
        if self.strength == 0:
            bias = None if frozen.bias is None else frozen.bias.to(x.dtype)
            return self.multiply(x, frozen.weight.to(x.dtype), bias)
        if frozen.weight.requires_grad:
            return self.multiply(x, *self.changed(list(self._values), x.dtype))
        y: Tensor = _Changed.apply(x, self, *self._values)  # type: ignore[no-untyped-call]
        return y

    def changed(self, values: list[Tensor], dtype: torch.dtype) -> tuple[Tensor, Tensor | None]:
        """The weight and the bias with what these values add to them, computed in the values' type."""
        frozen, named = self.frozen[0], dict(zip(self._names, values, strict=True))
        with torch.autocast(values[0].device.type, enabled=False):
            weight = frozen.weight.to(values[0].dtype)
            weight = weight + self.strength * self._delta(named, weight)
            bias = frozen.bias
            if "diff_b" in named:
                bias = bias.to(values[0].dtype) + self.strength * named["diff_b"]
            return weight.to(dtype), None if bias is None else bias.to(dtype)

    def multiply(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        frozen = self.frozen[0]
        function = frozen._conv_forward if isinstance(frozen, nn.Conv2d) else functional.linear
        y: Tensor = function(x, weight, bias)
        return y


class _Changed(torch.autograd.Function):
    """The product; only x and the trained tensors are kept for the backward pass."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layer: WeightLayer, *values: Tensor) -> Tensor:
        ctx.save_for_backward(x, *values)
        ctx.layer = layer
        return layer.multiply(x, *layer.changed(list(values), x.dtype))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, *kept = ctx.saved_tensors
        gradient = gradients[0]
        with torch.enable_grad():
            values = [tensor.detach().requires_grad_() for tensor in kept]
            weight, bias = ctx.layer.changed(values, x.dtype)
        plain = weight.detach()
        if isinstance(ctx.layer.frozen[0], nn.Conv2d):
            to_x, to_weight = _back_through_convolution(ctx, gradient, x, plain)
        else:
            rows, gradient = x.reshape(-1, x.shape[-1]), gradient.reshape(-1, gradient.shape[-1])
            to_x = (gradient @ plain).view(x.shape) if ctx.needs_input_grad[0] else None
            to_weight = gradient.t() @ rows
        outputs, towards = [weight], [to_weight]
        if bias is not None and bias.requires_grad:
            outputs, towards = [weight, bias], [to_weight, gradient.transpose(0, 1).flatten(1).sum(1)]
        return to_x, None, *torch.autograd.grad(outputs, values, towards)


def _back_through_convolution(
    ctx: Any, gradient: Tensor, x: Tensor, weight: Tensor
) -> tuple[Tensor | None, Tensor]:
    frozen = ctx.layer.frozen[0]
    how = (frozen.stride, frozen.padding, frozen.dilation, False, (0, 0), frozen.groups)
    wanted = [ctx.needs_input_grad[0], True, False]
    to_x, to_weight, _ = torch.ops.aten.convolution_backward(gradient, x, weight, None, *how, wanted)
    return to_x, to_weight


class NormLayer(Layer):
    """On a layer norm or a group norm: something is added to its weight and to its bias, both [width]."""

    def __init__(self, frozen: nn.Module, place: Place) -> None:
        super().__init__(frozen)
        device = self.frozen[0].weight.device
        self.weight = nn.Parameter(torch.zeros(place.shape, device=device))
        self.bias = nn.Parameter(torch.zeros(place.shape, device=device))

    @property
    def trained(self) -> dict[str, nn.Parameter]:
        return {"w_norm": self.weight, "b_norm": self.bias}

    def forward(self, x: Tensor) -> Tensor:
        frozen = self.frozen[0]
        weight = (frozen.weight + self.strength * self.weight).to(frozen.weight.dtype)
        bias = (frozen.bias + self.strength * self.bias).to(frozen.weight.dtype)
        if isinstance(frozen, nn.GroupNorm):
            return functional.group_norm(x, frozen.num_groups, weight, bias, frozen.eps)
        return functional.layer_norm(x, frozen.normalized_shape, weight, bias, frozen.eps)
