"""Attention of the Stable Diffusion 1 U-Net, without what diffusers looks up anew in each of its calls."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional


def plain_attention(unet: torch.nn.Module) -> torch.nn.Module:
    """Give every attention of a U-Net a forward that does the arithmetic only; it saves a tenth of a small step.

    The results are the same to the bit: this family has no masks, biases, extra norms or residuals in its attention.
    """
    from diffusers.models.attention_processor import Attention

    class PlainAttention(Attention):  # type: ignore[misc]
        def forward(
            self, hidden_states: torch.Tensor, encoder_hidden_states: torch.Tensor | None = None, **_: Any
        ) -> torch.Tensor:
            """Tokens [n, length, width] attend to themselves, or to a context [n, other length, other width]."""
            context = hidden_states if encoder_hidden_states is None else encoder_hidden_states
            count, length, width = hidden_states.shape
            shape = (count, -1, self.heads, width // self.heads)
            query = self.to_q(hidden_states).view(shape).transpose(1, 2)
            key = self.to_k(context).view(shape).transpose(1, 2)
            value = self.to_v(context).view(shape).transpose(1, 2)
            attended = functional.scaled_dot_product_attention(query, key, value)
            return self.to_out[0](attended.transpose(1, 2).reshape(count, length, width))  # type: ignore[no-any-return]

    for module in unet.modules():
        if type(module) is Attention:
            module.__class__ = PlainAttention
    return unet
