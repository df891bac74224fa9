"""The WebUI's brackets in prompts, read into pieces of text with a weight each.

The rules are those of AUTOMATIC1111's `modules/prompt_parser.py`, oddities included.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from lib_trainer.core.errors import ConfigError

STRONGER, WEAKER = 1.1, 1 / 1.1
BREAK, BREAK_WEIGHT = "BREAK", -1.0  # the weight tells it from the word; inside brackets it changes, and so is one
SIGNS = re.compile(r"\\[()\[\]\\]?|[()\[\]]|:\s*([+-]?[.\d]+)\s*\)|[^\\()\[\]:]+|:")
BREAKS = re.compile(rf"\s*\b{BREAK}\b\s*")


@dataclass
class Piece:
    """Some text and how strongly it counts; 1 is as usual."""

    text: str
    weight: float = 1.0

    @property
    def is_break(self) -> bool:
        """Whether a new window begins here."""
        return self.text == BREAK and self.weight == BREAK_WEIGHT


def weighted_pieces(prompt: str) -> list[Piece]:
    r"""The pieces of a prompt: `(more)`, `((yet more))`, `(as told:1.3)`, `[less]`; `\(` is a bracket as it stands.

    Raises:
        ConfigError: what stands for a number is none.
    """
    reader = _Reader(prompt)
    for sign in SIGNS.finditer(prompt):
        reader.read(sign[0], sign[1])
    for start in reader.round_open:
        reader.multiply(start, STRONGER)
    for start in reader.square_open:
        reader.multiply(start, WEAKER)
    return _merged(reader.pieces) or [Piece("")]


@dataclass
class _Reader:
    prompt: str
    pieces: list[Piece] = field(default_factory=list)
    round_open: list[int] = field(default_factory=list)
    square_open: list[int] = field(default_factory=list)

    def read(self, sign: str, number: str | None) -> None:
        if sign[0] == "\\":
            self.pieces.append(Piece(sign[1:]))
        elif sign == "(":
            self.round_open.append(len(self.pieces))
        elif sign == "[":
            self.square_open.append(len(self.pieces))
        elif number is not None and self.round_open:
            self.multiply(self.round_open.pop(), self._number(number))
        elif sign == ")" and self.round_open:
            self.multiply(self.round_open.pop(), STRONGER)
        elif sign == "]" and self.square_open:
            self.multiply(self.square_open.pop(), WEAKER)
        else:
            self._add(sign)

    def multiply(self, start: int, factor: float) -> None:
        """Weigh all pieces from one on."""
        for piece in self.pieces[start:]:
            piece.weight *= factor

    def _add(self, text: str) -> None:
        for number, part in enumerate(BREAKS.split(text)):
            if number:
                self.pieces.append(Piece(BREAK, BREAK_WEIGHT))
            self.pieces.append(Piece(part))

    def _number(self, text: str) -> float:
        try:
            return float(text)
        except ValueError as error:
            raise ConfigError(
                f"'{text}' in '{self.prompt}' is no number; write (words:1.2), or \\( and \\) for plain brackets."
            ) from error


def _merged(pieces: list[Piece]) -> list[Piece]:
    """Neighbours of one weight as one piece."""
    merged: list[Piece] = []
    for piece in pieces:
        if merged and merged[-1].weight == piece.weight:
            merged[-1].text += piece.text
        else:
            merged.append(piece)
    return merged
