"""The text encoder's table of tokens as it is stored: of its 49408 rows a caption needs some dozen."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

Rows = Callable[[], "Tensor | None"]


class StoredEmbedding(nn.Embedding):
    """A table whose rows are converted when they are looked up; `arithmetic` is their type then.

    A checkpoint's 16 bits hold all there is to know, and take 72 MiB less than 32. Whoever trains the table itself
    must convert it first: updates are smaller than what 16 bits tell apart.
    """

    arithmetic = torch.float32
    _first_extra = 0
    _extra: Rows | None = None

    def add_rows(self, first: int, rows: Rows) -> None:
        """Let ids from `first` on stand for the rows [m, width] that `rows` gives, while it gives any."""
        self._first_extra, self._extra = first, rows

    def forward(self, input: Tensor) -> Tensor:
        extra = self._extra() if self._extra is not None else None
        if extra is None:
            return functional.embedding(input, self.weight).to(self.arithmetic)
        beyond = input - self._first_extra
        known = functional.embedding(input.clamp(max=self._first_extra - 1), self.weight).to(self.arithmetic)
        # Asked for without any such id too: a step on captions without the word must still have a gradient, of nought.
        added = functional.embedding(beyond.clamp(min=0), extra).to(self.arithmetic)
        return torch.where((beyond >= 0)[..., None], added, known)

    def dtype_kept(self, stored: torch.dtype, wanted: torch.dtype) -> torch.dtype:
        """The type for the table's memory: the stored one where the wanted one tells no more than it."""
        return stored if torch.promote_types(stored, wanted) == wanted else wanted
