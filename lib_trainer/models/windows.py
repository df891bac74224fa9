"""Prompts cut into windows of 75 tokens: as the WebUI does, or as kohya's scripts do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from lib_trainer.models.emphasis import Piece, weighted_pieces
from lib_trainer.models.text_options import WINDOW, TextOptions

COMMA = 267  # the comma that ends a word, in CLIP's vocabulary
TokenIds = Callable[[str], list[list[int]]]


@dataclass(frozen=True)
class Window:
    """At most 75 tokens, without begin and end, and how strongly the state of each counts."""

    ids: tuple[int, ...] = ()
    weights: tuple[float, ...] = ()

    @property
    def padded_weights(self) -> list[float]:
        """Those of all 77 states."""
        return [1.0, *self.weights, *[1.0] * (WINDOW + 1 - len(self.weights))]


EMPTY = Window()


def windows(text: str, reading: TextOptions, token_ids: TokenIds) -> list[Window]:
    """The windows of a text, one at least.

    Args:
        text: a prompt or a caption.
        reading: 'webui' or 'kohya'.
        token_ids: the tokens of a text, those together that no window's end may part.

    Raises:
        ConfigError: what stands for a number in brackets is none.
    """
    if reading.reading == "kohya":
        ids = [one for word in token_ids(text) for one in word][: reading.kohya_length]
        cut = [tuple(ids[start : start + WINDOW]) for start in range(0, reading.kohya_length, WINDOW)]
        return [Window(each, (1.0,) * len(each)) for each in cut]
    pieces = [Piece(text)] if reading.emphasis == "None" else weighted_pieces(text)
    return _Filler(reading.comma_backtrack).fill(pieces, token_ids)


@dataclass
class _Filler:
    """Fills windows as AUTOMATIC1111's `sd_hijack_clip.py` does; `comma` is the place of the open window's last one."""

    backtrack: int
    ids: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    comma: int | None = None
    done: list[Window] = field(default_factory=list)

    def fill(self, pieces: list[Piece], token_ids: TokenIds) -> list[Window]:
        for piece in pieces:
            if piece.is_break:
                self._close()
                continue
            for word in token_ids(piece.text):
                self._add(word, piece.weight)
        if self.ids or not self.done:
            self._close()
        return self.done

    def _add(self, word: list[int], weight: float) -> None:
        for part in _parts(word):
            if part[0] == COMMA:
                self.comma = len(self.ids)
            elif self._may_go_back():
                self._close_behind_comma()
            if len(self.ids) + len(part) > WINDOW:
                self._close()
            self.ids += part
            self.weights += [weight] * len(part)

    def _may_go_back(self) -> bool:
        if not self.backtrack or len(self.ids) < WINDOW or self.comma is None:
            return False
        return len(self.ids) - self.comma <= self.backtrack

    def _close_behind_comma(self) -> None:
        assert self.comma is not None
        behind = self.comma + 1
        ids, weights = self.ids[behind:], self.weights[behind:]
        self.ids, self.weights = self.ids[:behind], self.weights[:behind]
        self._close()
        self.ids, self.weights = ids, weights

    def _close(self) -> None:
        self.done.append(Window(tuple(self.ids), tuple(self.weights)))
        self.ids, self.weights, self.comma = [], [], None


def _parts(word: list[int]) -> Iterator[list[int]]:
    """What can be in one window; a longer word is parted all the same."""
    return (word[start : start + WINDOW] for start in range(0, len(word), WINDOW))
