"""Searching captions: words, "several words", tag:"red hair", name:, re:, is:, tokens>75, tags<3, and, or, not, ( )."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from lib_trainer.core.errors import ConfigError
from lib_trainer.images.wording.patterns import matching
from lib_trainer.images.wording.tags import Meant, key
from lib_trainer.images.wording.word_index import WordIndex

PIECE = re.compile(
    r"\s*(?P<minus>[-!](?=[^\s)]))?(?:(?P<bracket>[()])|re:(?P<pattern>[^\s\"]\S*)|(?P<field>(?:tag|name|re|is):)?"
    r'(?:"(?P<quoted>(?:[^"\\]|\\.)*)"?|(?P<word>[^\s()"]+)))'
)
COMPARED = re.compile(r"(tokens|tags|letters)(<=|>=|<|>|=)(\d{1,6})")
COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}
AND, OR, NOT = ("and", "&", "&&"), ("or", "|", "||"), ("not", "!")
MOST_LETTERS, DEEPEST = 2_000, 50

Found = set[int]


@dataclass(frozen=True)
class Piece:
    """One part of a question: a bracket, or words, perhaps of a field; quoted ones are never `and`, `or`, `not`."""

    text: str
    field: str = ""
    is_quoted: bool = False

    def is_one_of(self, words: tuple[str, ...]) -> bool:
        return not self.is_quoted and not self.field and self.text.lower() in words


class Searched(Protocol):
    """What is searched: captions, names and the state of each by its number."""

    texts: Mapping[int, str]  # in small letters
    names: Mapping[int, str]  # in small letters
    index: WordIndex

    def captions(self) -> Mapping[int, str]: ...

    def tokens_of(self, number: int) -> int: ...

    def states(self) -> Mapping[str, Callable[[int], bool]]: ...


def search(query: str, captions: Searched) -> Found:
    """The numbers of the captions that fit; all of them where nothing is asked.

    Raises:
        ConfigError: the question can't be understood; the message says where.
    """
    if len(query) > MOST_LETTERS:
        raise ConfigError(f"The search has {len(query)} letters; at most {MOST_LETTERS} are possible.")
    pieces = _pieces(query)
    if not pieces:
        return set(captions.texts)
    reader = _Reader(pieces, captions)
    found = reader.either()
    if reader.at < len(pieces):
        raise ConfigError(f"The search {query!r} has a ')' too many; take it out, or put it between quotes.")
    return found


def _pieces(query: str) -> list[Piece]:
    found = []
    for each in PIECE.finditer(query.strip()):
        if each["minus"]:
            found.append(Piece("not"))
        field_name, quoted = (each["field"] or "").rstrip(":"), each["quoted"]
        if each["bracket"]:
            found.append(Piece(each["bracket"]))
        elif each["pattern"]:
            found.append(Piece(each["pattern"], "re"))
        elif quoted is None:
            found.append(Piece(each["word"], field_name))
        else:
            text = quoted if field_name == "re" else re.sub(r"\\([\"\\])", r"\1", quoted)
            found.append(Piece(text, field_name, is_quoted=True))
    return found


@dataclass
class _Reader:
    """Reads pieces from left to right; `or` binds least, then `and`, which may be left out, then `not`."""

    pieces: list[Piece]
    captions: Searched
    at: int = 0
    depth: int = 0

    def either(self) -> Found:
        found = self.all_of()
        while self._is(OR):
            self.at += 1
            found = found | self.all_of()
        return found

    def all_of(self) -> Found:
        found = self.one()
        while self.at < len(self.pieces) and not self._is(OR) and not self._is((")",)):
            self.at += self._is(AND)
            found = found & self.one()
        return found

    def one(self) -> Found:
        self.depth += 1
        if self.depth > DEEPEST:
            raise ConfigError(f"The search has more than {DEEPEST} brackets or 'not' inside each other; shorten it.")
        try:
            return self._one()
        finally:
            self.depth -= 1

    def _one(self) -> Found:
        if self.at >= len(self.pieces) or self._is((")",)) or self._is(AND) or self._is(OR):
            place = self.pieces[self.at - 1].text if self.at else "its beginning"
            raise ConfigError(f"The search lacks a word after {place!r}; add one, or put {place!r} between quotes.")
        piece = self.pieces[self.at]
        self.at += 1
        if piece.is_one_of(NOT):
            return set(self.captions.texts) - self.one()
        if piece.is_one_of(("(",)):
            found = self.either()
            if not self._is((")",)):
                raise ConfigError("The search lacks a ')'; add it, or put the '(' between quotes.")
            self.at += 1
            return found
        return _leaf(piece, self.captions)

    def _is(self, words: tuple[str, ...]) -> bool:
        return self.at < len(self.pieces) and self.pieces[self.at].is_one_of(words)


def _leaf(piece: Piece, captions: Searched) -> Found:
    if piece.field == "tag":
        return _with_tag(piece.text, captions.index)
    if piece.field == "name":
        wanted = piece.text.casefold()
        return {number for number, name in captions.names.items() if wanted in name}
    if piece.field == "re":
        numbers, texts = list(captions.captions()), list(captions.captions().values())
        hits = matching(piece.text, texts, match_case=False)
        return {number for number, hit in zip(numbers, hits, strict=True) if hit}
    if piece.field == "is":
        return _in_state(piece.text, captions)
    if not piece.is_quoted and (compared := COMPARED.fullmatch(piece.text.lower())):
        return _counted(compared, captions)
    wanted = piece.text.casefold()
    return {number for number, text in captions.texts.items() if wanted in text or wanted in captions.names[number]}


def _with_tag(text: str, index: WordIndex) -> Found:
    if "*" not in text:
        return set(index.having(text))
    meant = Meant((text,))
    return {number for known in index.keys() if known in meant for number in index.having(known)}  # noqa: SIM118


def _in_state(text: str, captions: Searched) -> Found:
    states = captions.states()
    known = key(text)
    if known not in states:
        raise ConfigError(f"'is:{text}' means nothing; use {', '.join(f'is:{name}' for name in states)}.")
    return {number for number in captions.texts if states[known](number)}


def _counted(compared: re.Match[str], captions: Searched) -> Found:
    count: dict[str, Callable[[int], int]] = {
        "tokens": captions.tokens_of,
        "tags": lambda number: len(captions.index.tags_in(number)),
        "letters": lambda number: len(captions.texts[number]),
    }
    fits, limit = COMPARISONS[compared[2]], int(compared[3])
    return {number for number in captions.texts if fits(count[compared[1]](number), limit)}
