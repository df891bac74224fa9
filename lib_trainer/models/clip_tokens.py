"""CLIP's tokens: captions to the numbers that the text encoders of Stable Diffusion know."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import torch

FILES = Path(__file__).with_name("clip_tokenizer")
LENGTH = 77
BEGIN, END = 49406, 49407
Padding = Literal["end", "zero"]
WORD_END = "</w>"


class ClipTokens:
    """OpenAI's byte-pair vocabulary, shipped with us; nothing is looked up on a hub."""

    def __init__(self, padding: Padding = "end") -> None:
        self._padding = padding
        self._tokenizer: Any = None

    def __call__(self, captions: Sequence[str]) -> torch.Tensor:
        """Token ids [n, 77] of whole captions; see `framed`."""
        return self.framed([self.ids(caption) for caption in captions])

    def ids(self, text: str) -> list[int]:
        """The ids of a text's tokens, without begin and end, uncut."""
        ids: list[int] = self._loaded()(text, add_special_tokens=False, verbose=False)["input_ids"]
        return ids

    def pieces(self, text: str) -> list[str]:
        """A text's tokens as they stand in the vocabulary; one that ends a word ends with `WORD_END`."""
        pieces: list[str] = self._loaded().convert_ids_to_tokens(self.ids(text))
        return pieces

    def framed(self, ids: Sequence[Sequence[int]]) -> torch.Tensor:
        """Token ids [n, 77]: begin, at most 75 tokens, an end; then ends or zeros, as the WebUI pads."""
        rows = [[BEGIN, *tokens[: LENGTH - 2], END] for tokens in ids]
        filled = [row + [END] * (LENGTH - len(row)) for row in rows]
        framed = torch.tensor(filled, dtype=torch.int64).reshape(-1, LENGTH)
        return framed if self._padding == "end" else padded_with_zeros(framed)

    def digest_into(self, digest: Any) -> None:
        """Feed the vocabulary to a running hash."""
        for name in ("vocab.json", "merges.txt"):
            digest.update((FILES / name).read_bytes())

    def _loaded(self) -> Any:
        if self._tokenizer is None:
            from transformers.models.clip.tokenization_clip import CLIPTokenizer

            self._tokenizer = CLIPTokenizer.from_pretrained(FILES, local_files_only=True)
        return self._tokenizer


def padded_with_zeros(ids: torch.Tensor) -> torch.Tensor:
    """The same token ids [n, 77] with zeros behind the first end, as OpenCLIP's encoders were trained."""
    ends = (ids == END).int()
    return ids.masked_fill(ends.cumsum(1) - ends > 0, 0)
