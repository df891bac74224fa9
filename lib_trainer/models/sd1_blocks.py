"""The blocks of Stable Diffusion 1, without what diffusers looks up anew in each call and keeps for backward passes.

The results are the same to the bit. This family's attention has no masks, biases, extra norms or residuals, and its
residual blocks neither dropout nor scaling; each block gets a forward that does the arithmetic only.
"""

from __future__ import annotations

from types import MethodType
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from lib_trainer.models.lean_functions import gated_gelu, gated_gelu_kept_as, norm_silu, quick_gelu

WORTH_COMPUTING_AGAIN = 2**17  # values of a product; below, keeping it costs less than not to


def use_plain_unet_blocks(unet: nn.Module) -> nn.Module:
    """Let every block of a U-Net do the arithmetic only; it saves a tenth of a small step and a fifth of its memory."""
    from diffusers.models.attention import BasicTransformerBlock, FeedForward
    from diffusers.models.attention_processor import Attention
    from diffusers.models.resnet import ResnetBlock2D

    plain = {Attention: _attend, BasicTransformerBlock: _transform, FeedForward: _feed_forward, ResnetBlock2D: _residual}
    for module in unet.modules():
        if type(module) in plain:
            module.forward = MethodType(plain[type(module)], module)
    return unet


def use_plain_text_blocks(text_encoder: nn.Module) -> nn.Module:
    """Let the text encoder's activation keep less for the backward pass, where it is CLIP's own."""
    from transformers.activations import QuickGELUActivation

    for module in text_encoder.modules():
        if isinstance(module, QuickGELUActivation):
            module.forward = quick_gelu
    return text_encoder


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
    """Tokens [n, length, width] attend to themselves, then to the text, then each goes through the feed-forward layers."""
    tokens = hidden_states + self.attn1(self.norm1(hidden_states))
    tokens = tokens + self.attn2(self.norm2(tokens), encoder_hidden_states)
    return tokens + self.ff(self.norm3(tokens))  # type: ignore[no-any-return]


def _feed_forward(self: Any, hidden_states: Tensor) -> Tensor:
    """Tokens [n, length, width] to the same shape."""
    projected = self.net[0].proj(hidden_states)
    product = gated_gelu(projected)
    # In training mode the whole block is computed again (gradient checkpointing), and nothing may be held here.
    if self.training or not projected.requires_grad or product.numel() < WORTH_COMPUTING_AGAIN:
        return self.net[2](product)  # type: ignore[no-any-return]
    with gated_gelu_kept_as(projected, product):
        return self.net[2](product)  # type: ignore[no-any-return]


def _residual(self: Any, input_tensor: Tensor, temb: Tensor) -> Tensor:
    """A map [n, in, h, w] and the embedded timesteps [n, width] to [n, out, h, w]."""
    hidden = self.conv1(norm_silu(input_tensor, self.norm1))
    hidden = hidden + self.time_emb_proj(functional.silu(temb))[:, :, None, None]
    hidden = self.conv2(norm_silu(hidden, self.norm2))
    shortcut = input_tensor if self.conv_shortcut is None else self.conv_shortcut(input_tensor)
    return shortcut + hidden  # type: ignore[no-any-return]
