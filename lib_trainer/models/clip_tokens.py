"""CLIP's tokens: captions to the numbers that the text encoder of Stable Diffusion 1 knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

FILES = Path(__file__).with_name("clip_tokenizer")
LENGTH = 77


class ClipTokens:
    """OpenAI's byte-pair vocabulary, shipped with us; nothing is looked up on a hub."""

    def __init__(self) -> None:
        self._tokenizer: Any = None

    def __call__(self, captions: list[str]) -> torch.Tensor:
        """Token ids [n, 77]: begin, at most 75 tokens, then ends, as the WebUI pads for Stable Diffusion 1."""
        if self._tokenizer is None:
            from transformers.models.clip.tokenization_clip import CLIPTokenizer

            self._tokenizer = CLIPTokenizer.from_pretrained(FILES, local_files_only=True)
        if not captions:
            return torch.empty((0, LENGTH), dtype=torch.int64)
        encoded = self._tokenizer(captions, padding="max_length", max_length=LENGTH, truncation=True)
        return torch.tensor(encoded["input_ids"], dtype=torch.int64)

    def digest_into(self, digest: Any) -> None:
        """Feed the vocabulary to a running hash."""
        for name in ("vocab.json", "merges.txt"):
            digest.update((FILES / name).read_bytes())
