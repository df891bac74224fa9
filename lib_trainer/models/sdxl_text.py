"""SDXL's two text encoders as one part of the model, and the one tensor that carries what they say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from lib_trainer.models.clip_tokens import END, padded_with_zeros
from lib_trainer.models.sd1_layout import TextSizes
from lib_trainer.models.sd1_modules import build_text_encoder
from lib_trainer.models.sd1_settings import Settings


class TwoTextEncoders(nn.Module):
    """CLIP's and OpenCLIP's encoder, and the projection of the second one's pooled state."""

    def __init__(self, first: TextSizes, second: TextSizes, settings: Settings) -> None:
        super().__init__()
        heads, activation = settings.second_text_heads, settings.second_text_activation
        self.first: Any = build_text_encoder(first, settings)
        self.second: Any = build_text_encoder(
            second, replace(settings, text_heads=heads, text_activation=activation)
        )
        with torch.device("meta"):
            self.text_projection = nn.Linear(second.width, second.projection, bias=False)

    def forward(self, ids: Tensor) -> Tensor:
        """Token ids [n, 77], padded with ends, to what `packed` gives.

        Of both encoders it is the states before the last layer, with no norm behind them; pooled is the second's last
        state at the first end, normalised and projected.
        """
        *_, first, _ = _states(self.first, ids)
        *_, second, last = _states(self.second, padded_with_zeros(ids))
        ends = (ids == END).int().argmax(dim=1)
        at_end = last[torch.arange(len(ids), device=ids.device), ends]
        pooled = self.text_projection(self.second.final_layer_norm(at_end))
        return packed(torch.cat([first, second.to(first.dtype)], dim=2), pooled.to(first.dtype))

    def gradient_checkpointing_enable(self) -> None:
        """Let both encoders keep less, and compute again what they need."""
        self.first.gradient_checkpointing_enable()
        self.second.gradient_checkpointing_enable()


def packed(states: Tensor, pooled: Tensor) -> Tensor:
    """Hidden states [n, 77, width] and the pooled state [n, at most width] as one tensor [n, 78, width]."""
    row = functional.pad(pooled, (0, states.shape[2] - pooled.shape[1]))
    return torch.cat([states, row[:, None]], dim=1)


def unpacked(text: Tensor, pooled_width: int) -> tuple[Tensor, Tensor]:
    """The hidden states and the pooled state again."""
    return text[:, :-1], text[:, -1, :pooled_width]


def _states(encoder: Any, ids: Tensor) -> Iterator[Tensor]:
    """The hidden states [n, 77, width] behind the embeddings and behind each layer."""
    states = encoder.embeddings(input_ids=ids)
    yield states
    for layer in encoder.encoder.layers:
        states = layer(states, None, is_causal=True)
        yield states
