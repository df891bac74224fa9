"""The vectors of words that a model is taught: started, trained, opened from a file, alone or with a network."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from lib_trainer.core.errors import ConfigError, ModelError
from lib_trainer.models.extra_words import ALONE, ExtraWord
from lib_trainer.trainables.file_names import FILE_STEM
from lib_trainer.trainables.new_word import HEADER_NAME, NewWord

if TYPE_CHECKING:
    from lib_trainer.models.model import Model

WEBUI_TENSOR = "string_to_param.*"  # what A1111's own files have for the one tensor of a word
BUNDLE = "bundle_emb."
SAMPLED_ROWS = 1024


class WordVectors:
    """A word's vectors, as a network of their own.

    Args:
        model: what is taught the word.
        texts: what the word is called.
        rows: its vectors by the tables they belong to, each [vectors, width].
        parts: the part with which those of a table are trained; without one they stay as they are.
    """

    def __init__(
        self, model: Model, texts: Sequence[str], rows: Mapping[str, Tensor], parts: Mapping[str, str] | None = None
    ) -> None:
        self.matched = 0  # it rides on no module
        self.rows = {name: nn.Parameter(tensor.float().to(model.device)) for name, tensor in rows.items()}
        self.text = texts[0]
        self._model, self._texts, self._parts = model, texts, parts or {}
        for name, row in self.rows.items():
            row.requires_grad_(name in self._parts)
        self._lengths: dict[str, Tensor] = {}
        self._words: list[ExtraWord] = []
        self.set_strength(1.0)

    def keep_lengths(self) -> None:
        """From now on each vector keeps the length that it has."""
        trained = {name: row.detach() for name, row in self.rows.items() if row.requires_grad}
        self._lengths = {name: row.norm(dim=1, keepdim=True) for name, row in trained.items()}

    def parameters(self, part: str) -> list[nn.Parameter]:
        return [row for name, row in self.rows.items() if self._parts.get(name) == part]

    def groups(self, part: str) -> list[tuple[float, list[nn.Parameter]]]:
        tensors = self.parameters(part)
        return [(1.0, tensors)] if tensors else []

    def tensors(self) -> dict[str, Tensor]:
        return dict(self.rows)

    def metadata(self) -> dict[str, str]:
        return {HEADER_NAME: self.text}

    def load_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        for name, row in self.rows.items():
            row.data.copy_(tensors[name])

    def set_strength(self, strength: float) -> None:
        """As in the WebUI a word is there or not: it is not at strength 0."""
        self.detach()
        if strength:
            self._words = [self._model.extra_words.add(text, self.rows) for text in self._texts]

    def train(self, training: bool) -> None:
        """Vectors have no dropout."""

    @torch.no_grad()
    def settle(self) -> None:
        for name, length in self._lengths.items():
            row = self.rows[name]
            row.mul_(length / row.norm(dim=1, keepdim=True).clamp(min=torch.finfo(row.dtype).tiny))

    def detach(self) -> None:
        for word in self._words:
            self._model.extra_words.remove(word)
        self._words = []


def start_word(options: NewWord, model: Model, seed: int, parts: Mapping[str, str]) -> WordVectors:
    """A new word on a model; see `WordVectors` for `parts`.

    Raises:
        ConfigError: its initial text has more tokens than the word has vectors.
        ModelError: the model is taught that word already.
    """
    ids = model.token_ids(options.initial_text)
    if len(ids) > options.vectors:
        raise ConfigError(
            f"The initial text {options.initial_text!r} has {len(ids)} tokens, but 'vectors' is {options.vectors}; "
            "raise it, or give fewer words."
        )
    generator = torch.Generator().manual_seed(seed)
    assert model.parts  # the tables are filled with them
    rows = {}
    for name, table in model.extra_words.tables.items():
        weight = table.weight.detach().cpu()
        told = _spread(weight[ids].float(), options.vectors) if ids else None
        rows[name] = _drawn(weight, options.vectors, generator) if told is None else told
    word = WordVectors(model, [options.token], rows, parts)
    if options.keep_norm:
        word.keep_lengths()
    return word


def _spread(rows: Tensor, vectors: int) -> Tensor:
    """Rows [n, width] as that many vectors: each row comes as often as the others, side by side, as in A1111."""
    return rows[[number * len(rows) // vectors for number in range(vectors)]]


def _drawn(weight: Tensor, vectors: int, generator: torch.Generator) -> Tensor:
    """Vectors by chance, spread as the table's rows [n, width] are and of their length."""
    sample = weight[torch.randint(len(weight), (SAMPLED_ROWS,), generator=generator)].float()
    noise = torch.randn(vectors, weight.shape[1], generator=generator)
    drawn = sample.mean(dim=0) + sample.std(dim=0) * noise
    lengths: Tensor = sample.norm(dim=1).mean() / drawn.norm(dim=1, keepdim=True)
    return drawn * lengths


def open_word(model: Model, tensors: Mapping[str, Tensor], told: Mapping[str, str]) -> WordVectors:
    """The word of an embedding file: under the file's name, as the WebUI has it, and under that in its header.

    Raises:
        ModelError: its vectors don't fit the model.
    """
    texts = [told[FILE_STEM]]
    named = _plain(told.get(HEADER_NAME, ""))
    ids = model.token_ids(named)
    if ids and ids != model.token_ids(texts[0]):
        texts.append(named)
    return WordVectors(model, texts, fitting(model, tensors))


def _plain(text: str) -> str:
    """The values of A1111's own files come as JSON."""
    return str(json.loads(text)) if text.startswith('"') else text


def fitting(model: Model, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A word's tensors by the names of the model's tables.

    Raises:
        ModelError: they are others, or of another width.
    """
    tables = {name: table.weight.shape[1] for name, table in model.extra_words.tables.items()}
    named = {ALONE[0] if name == WEBUI_TENSOR else name: tensor for name, tensor in tensors.items()}
    found = {name: tuple(tensor.shape)[1:] for name, tensor in named.items()}
    if found != {name: (width,) for name, width in tables.items()}:
        said = " and ".join(f"{name} of {'x'.join(map(str, width))}" for name, width in found.items())
        wanted = " and ".join(f"{name} of {width}" for name, width in tables.items())
        raise ModelError(f"its vectors are {said} values; {model.path.name} needs {wanted}. It was made for another "
                         "kind of model.")
    return named
