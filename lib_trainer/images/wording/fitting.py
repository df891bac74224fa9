"""A rule about length: what does not fit the text encoder's turn is taken away tag by tag."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from lib_trainer.core.options import option
from lib_trainer.images.wording.clip_pieces import MOST_TOKENS, ClipPieces
from lib_trainer.images.wording.rule import EachCaption
from lib_trainer.images.wording.tags import SEPARATOR, retagged, tags_of


@dataclass(frozen=True)
class Fit(EachCaption):
    """Take tags from the end until the caption has no more tokens than this; a single sentence stays whole."""

    tokens: int = option(MOST_TOKENS, "The most tokens; one turn of the text encoder takes 75.", ge=1)

    @cached_property
    def _pieces(self) -> ClipPieces:
        return ClipPieces()

    def reworded(self, caption: str) -> str:
        tags = tags_of(caption)
        if self._pieces.count(caption) <= self.tokens:
            return caption
        while len(tags) > 1 and self._pieces.count(SEPARATOR.join(tags)) > self.tokens:
            tags.pop()
        return retagged(caption, tags)
