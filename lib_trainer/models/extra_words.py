"""Words that a model is taught: each stands for rows of its own in the text encoders' tables of tokens.

As in the WebUI (modules/textual_inversion), a word is known by its usual tokens: wherever these come in a text, the
word's rows take their place, of several words that fit there the longest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import torch
from torch import Tensor, nn

from lib_trainer.core.errors import ModelError
from lib_trainer.models.sd1_layout import TOKENS
from lib_trainer.models.stored_embedding import StoredEmbedding

Rows = Mapping[str, Tensor]
ALONE, OF_TWO = ("emb_params",), ("clip_l", "clip_g")  # what the WebUI calls the tensors of an embedding file


class Tokens(Protocol):
    """What is asked of a tokenizer."""

    def ids(self, text: str) -> list[int]: ...


def name_tables(paths: Sequence[str]) -> dict[str, str]:
    """The tables of a model's text encoders, given in their order, by the names of their tensors in embedding files."""
    return dict(zip(ALONE if len(paths) == 1 else OF_TWO, paths, strict=True))


@dataclass(frozen=True)
class ExtraWord:
    """A word, its usual tokens, and its rows: for each table [vectors, width]."""

    text: str
    ids: tuple[int, ...]
    rows: Rows

    @property
    def vectors(self) -> int:
        return len(next(iter(self.rows.values())))


class ExtraWords:
    """The words that one model is taught; their rows have ids from the vocabulary's size on, in the words' order."""

    def __init__(self, tokens: Tokens, text_encoder: nn.Module) -> None:
        self._tokens = tokens
        self._words: list[ExtraWord] = []
        paths = {path: each for path, each in text_encoder.named_modules() if isinstance(each, StoredEmbedding)}
        self.tables = {name: paths[path] for name, path in name_tables(list(paths)).items()}
        for name, table in self.tables.items():
            table.add_rows(TOKENS, partial(self._rows, name))

    def add(self, text: str, rows: Rows) -> ExtraWord:
        """Teach a word; its rows are taken as they are, so that they can be trained.

        Raises:
            ModelError: the word has no tokens, or is taught already.
        """
        ids = tuple(self._tokens.ids(text))
        if not ids:
            raise ModelError(f"{text!r} has no letters that the model knows; give the word another name.")
        if any(word.ids == ids for word in self._words):
            raise ModelError(f"The word {text!r} is there twice; use one of them at a time, or rename it.")
        word = ExtraWord(text, ids, rows)
        self._words.append(word)
        return word

    def remove(self, word: ExtraWord) -> None:
        """Forget a word."""
        self._words = [each for each in self._words if each is not word]

    def token_ids(self, text: str) -> list[int]:
        """The ids of a text's tokens, without begin and end, uncut; rows of extra words are among them."""
        ids, found = self._tokens.ids(text), list[int]()
        place = 0
        while place < len(ids):
            word = self._at(ids, place)
            if word is None:
                found.append(ids[place])
                place += 1
            else:
                found += range(self._first_id(word), self._first_id(word) + word.vectors)
                place += len(word.ids)
        return found

    def vectors_from(self, token: int) -> int:
        """How many ids belong together from this one on: a word's if it is the word's first id, else 1."""
        return next((word.vectors for word in self._words if self._first_id(word) == token), 1)

    def _at(self, ids: Sequence[int], place: int) -> ExtraWord | None:
        fitting = [word for word in self._words if tuple(ids[place : place + len(word.ids)]) == word.ids]
        return max(fitting, key=lambda word: len(word.ids), default=None)

    def _first_id(self, word: ExtraWord) -> int:
        before = self._words[: next(place for place, each in enumerate(self._words) if each is word)]
        return TOKENS + sum(each.vectors for each in before)

    def _rows(self, table: str) -> Tensor | None:
        rows = [word.rows[table] for word in self._words]
        return torch.cat(rows) if len(rows) > 1 else next(iter(rows), None)
