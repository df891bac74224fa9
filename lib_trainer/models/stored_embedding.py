"""The text encoder's table of tokens as it is stored: of its 49408 rows a caption needs some dozen."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class StoredEmbedding(nn.Embedding):
    """A table whose rows are converted when they are looked up; `arithmetic` is their type then.

    A checkpoint's 16 bits hold all there is to know, and take 72 MiB less than 32. Whoever trains the table itself
    must convert it first: updates are smaller than what 16 bits tell apart.
    """

    arithmetic = torch.float32

    def forward(self, input: Tensor) -> Tensor:
        return functional.embedding(input, self.weight).to(self.arithmetic)

    def dtype_kept(self, stored: torch.dtype, wanted: torch.dtype) -> torch.dtype:
        """The type for the table's memory: the stored one where the wanted one tells no more than it."""
        return stored if torch.promote_types(stored, wanted) == wanted else wanted
