"""CLIP's tokens: captions to the numbers that the text encoders of Stable Diffusion know."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import torch

FILES = Path(__file__).with_name("clip_tokenizer")
LENGTH = 77
END = 49407
Padding = Literal["end", "zero"]


class ClipTokens:
    """OpenAI's byte-pair vocabulary, shipped with us; nothing is looked up on a hub."""

    def __init__(self, padding: Padding = "end") -> None:
        self._padding = padding
        self._tokenizer: Any = None

    def __call__(self, captions: list[str]) -> torch.Tensor:
        """Token ids [n, 77]: begin, at most 75 tokens, an end; then ends or zeros, as the WebUI pads."""
        if self._tokenizer is None:
            from transformers.models.clip.tokenization_clip import CLIPTokenizer

            self._tokenizer = CLIPTokenizer.from_pretrained(FILES, local_files_only=True)
        if not captions:
            return torch.empty((0, LENGTH), dtype=torch.int64)
        encoded = self._tokenizer(captions, padding="max_length", max_length=LENGTH, truncation=True)
        ids = torch.tensor(encoded["input_ids"], dtype=torch.int64)
        return ids if self._padding == "end" else padded_with_zeros(ids)

    def digest_into(self, digest: Any) -> None:
        """Feed the vocabulary to a running hash."""
        for name in ("vocab.json", "merges.txt"):
            digest.update((FILES / name).read_bytes())


def padded_with_zeros(ids: torch.Tensor) -> torch.Tensor:
    """The same token ids [n, 77] with zeros behind the first end, as OpenCLIP's encoders were trained."""
    ends = (ids == END).int()
    return ids.masked_fill(ends.cumsum(1) - ends > 0, 0)
