"""The blocks of Stable Diffusion, without what diffusers looks up anew in each call and keeps for backward passes.

The results are the same to the bit. These families' attention has no masks, biases, extra norms or residuals, and its
residual blocks neither dropout nor scaling; each block gets a forward that does the arithmetic only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from types import MethodType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from lib_trainer.models.lean_functions import computed_again, gated_gelu, gated_gelu_again, norm_silu, quick_gelu


def use_plain_unet_blocks(unet: nn.Module) -> nn.Module:
    """Let every block of a U-Net do the arithmetic only; it saves a tenth of a small step and a fifth of its memory."""
    from diffusers.models.attention import BasicTransformerBlock, FeedForward
    from diffusers.models.attention_processor import Attention
    from diffusers.models.resnet import ResnetBlock2D
    from diffusers.models.transformers.transformer_2d import Transformer2DModel

    forwards: dict[Any, Callable[..., Any]] = {
        Attention: _attend,
        BasicTransformerBlock: _transform,
        FeedForward: _feed_forward,
        ResnetBlock2D: _residual,
        Transformer2DModel: _transform_map,
    }
    return _with_forwards(unet, forwards)


def use_plain_text_blocks(text_encoder: nn.Module) -> nn.Module:
    """Let the text encoder keep less for its backward pass."""
    from transformers.activations import QuickGELUActivation
    from transformers.models.clip.modeling_clip import CLIPMLP

    return _with_forwards(text_encoder, {CLIPMLP: _text_layers, QuickGELUActivation: _quick_gelu})


def _with_forwards(part: nn.Module, forwards: Mapping[Any, Callable[..., Any]]) -> nn.Module:
    for module in part.modules():
        if type(module) in forwards:
            module.forward = MethodType(forwards[type(module)], module)
    return part


def _attend(self: Any, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None, **_: Any) -> Tensor:
    """Tokens [n, length, width] attend to themselves, or to a context [n, other length, other width]."""
    context = hidden_states if encoder_hidden_states is None else encoder_hidden_states
    count, length, width = hidden_states.shape
    shape = (count, -1, self.heads, width // self.heads)
    query = self.to_q(hidden_states).view(shape).transpose(1, 2)
    key = self.to_k(context).view(shape).transpose(1, 2)
    value = self.to_v(context).view(shape).transpose(1, 2)
    attended = functional.scaled_dot_product_attention(query, key, value)
    return self.to_out[0](attended.transpose(1, 2).reshape(count, length, width))  # type: ignore[no-any-return]


def _transform(
    self: Any, hidden_states: Tensor, attention_mask: None = None, encoder_hidden_states: Tensor | None = None,
    *_: Any, **__: Any,
) -> Tensor:  # fmt: skip
    """Tokens [n, length, width] attend to themselves, then to the text, then go through the feed-forward layers."""
    tokens = hidden_states
    normal = self.norm1(tokens)
    with _again(self, normal, self.norm1, tokens):
        tokens = tokens + self.attn1(normal)
    normal = self.norm2(tokens)
    with _again(self, normal, self.norm2, tokens):
        tokens = tokens + self.attn2(normal, encoder_hidden_states)
    normal = self.norm3(tokens)
    with _again(self, normal, self.norm3, tokens):
        return tokens + self.ff(normal)  # type: ignore[no-any-return]


def _transform_map(
    self: Any, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None, **__: Any
) -> tuple[Tensor]:
    """A map [n, channels, h, w] as tokens through the transformer's blocks, added to what it was."""
    count, _, height, width = hidden_states.shape
    normal = self.norm(hidden_states)
    with _again(self, normal, self.norm, hidden_states):
        if self.use_linear_projection:
            tokens = self.proj_in(normal.permute(0, 2, 3, 1).reshape(count, height * width, -1))
        else:
            tokens = self.proj_in(normal).permute(0, 2, 3, 1).reshape(count, height * width, -1)
    for block in self.transformer_blocks:
        if self.gradient_checkpointing and torch.is_grad_enabled():
            tokens = self._gradient_checkpointing_func(block, tokens, None, encoder_hidden_states)
        else:
            tokens = block(tokens, None, encoder_hidden_states)
    if self.use_linear_projection:
        back = self.proj_out(tokens).reshape(count, height, width, -1).permute(0, 3, 1, 2).contiguous()
        return (hidden_states + back,)
    back = tokens.reshape(count, height, width, -1).permute(0, 3, 1, 2).contiguous()
    return (hidden_states + self.proj_out(back),)


def _feed_forward(self: Any, hidden_states: Tensor) -> Tensor:
    """Tokens [n, length, width] to the same shape."""
    projected = self.net[0].proj(hidden_states)
    product = gated_gelu(projected)
    with _again(self, product, gated_gelu_again, projected):
        return self.net[2](product)  # type: ignore[no-any-return]


def _text_layers(self: Any, hidden_states: Tensor) -> Tensor:
    """Tokens [n, length, width] to the same shape, in the text encoder."""
    inner = self.fc1(hidden_states)
    activated = self.activation_fn(inner)
    with _again(self, activated, self.activation_fn, inner):
        return self.fc2(activated)  # type: ignore[no-any-return]


def _quick_gelu(self: nn.Module, x: Tensor) -> Tensor:
    return quick_gelu(x)


def _again(
    block: nn.Module, result: Tensor, function: Callable[[Tensor], Tensor], x: Tensor
) -> AbstractContextManager[object]:
    """As `computed_again`, unless the whole block is (gradient checkpointing): it must not hold its inputs then."""
    return nullcontext() if block.training else computed_again(result, function, x)


def _residual(self: Any, input_tensor: Tensor, temb: Tensor) -> Tensor:
    """A map [n, in, h, w] and the embedded timesteps [n, width] to [n, out, h, w]."""
    hidden = self.conv1(norm_silu(input_tensor, self.norm1))
    hidden = hidden + self.time_emb_proj(functional.silu(temb))[:, :, None, None]
    hidden = self.conv2(norm_silu(hidden, self.norm2))
    shortcut = input_tensor if self.conv_shortcut is None else self.conv_shortcut(input_tensor)
    return shortcut + hidden  # type: ignore[no-any-return]
