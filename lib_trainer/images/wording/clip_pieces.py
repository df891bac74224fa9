"""How many tokens CLIP makes of a text, counted in Python's own library as the engine's tokenizer does."""

from __future__ import annotations

import html
import re
import unicodedata
from functools import cached_property
from itertools import pairwise

from lib_trainer.core.places import EXTENSION_ROOT

MERGES = EXTENSION_ROOT / "lib_trainer" / "models" / "clip_tokenizer" / "merges.txt"
MOST_TOKENS = 75  # what one text encoder's turn takes, without begin and end
WORD_END = "</w>"
# Read against a copy of the text in which each other alphabet's letter is `a`, and so on: Python knows no \p{L}.
WORD = re.compile(r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[a-z]+|[0-9]|[^\sa-z0-9]+")
SPECIAL = ("<|startoftext|>", "<|endoftext|>")
ENTITY = re.compile(r"&#?[0-9A-Za-z]{1,24};")
UNSEEN = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f\ufeff]")
KEPT_WORDS = 50_000
QUOTES = str.maketrans({"‘": "'", "’": "'", "‚": "'", "‛": "'", "“": '"', "”": '"', "„": '"', "‟": '"'})
LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "ſt", "ﬆ": "st",
                           "Ĳ": "IJ", "ĳ": "ij", "ŉ": "ʼn", "Ǆ": "DŽ", "ǅ": "Dž", "ǆ": "dž", "Ǉ": "LJ", "ǈ": "Lj",
                           "ǉ": "lj", "Ǌ": "NJ", "ǋ": "Nj", "ǌ": "nj", "Ǳ": "DZ", "ǲ": "Dz", "ǳ": "dz"})  # fmt: skip


class ClipPieces:
    """CLIP's byte pairs, read from the vocabulary's merges when they are first asked for."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def count(self, text: str) -> int:
        """How many tokens a text has, without begin and end."""
        return sum(map(self._count_word, words_of(text)))

    @cached_property
    def ranks_of_words(self) -> dict[str, int]:
        """What CLIP knows as a whole word, or as the end of one, and its rank: the most frequent come first."""
        joined = (("".join(pair), rank) for pair, rank in self._ranks.items())
        return {text.removesuffix(WORD_END): rank for text, rank in joined if text.endswith(WORD_END)}

    @cached_property
    def _ranks(self) -> dict[tuple[str, str], int]:
        lines = MERGES.read_text(encoding="utf-8").split("\n")[1:]
        pairs = (tuple(line.split()) for line in lines if line)
        return {(pair[0], pair[1]): rank for rank, pair in enumerate(pairs)}

    @cached_property
    def _letters(self) -> list[str]:
        return byte_letters()

    def _count_word(self, word: str) -> int:
        if word not in self._known:
            if len(self._known) >= KEPT_WORDS:
                self._known.clear()
            self._known[word] = 1 if word in SPECIAL else self._merged(word)
        return self._known[word]

    def _merged(self, word: str) -> int:
        parts = [self._letters[byte] for byte in word.encode("utf-8", "replace")]
        parts[-1] += WORD_END
        while len(parts) > 1:
            ranked = [self._ranks.get(pair, -1) for pair in pairwise(parts)]
            best = min((rank for rank in ranked if rank >= 0), default=-1)
            if best < 0:
                break
            parts = _joined(parts, ranked, best)
        return len(parts)


def _joined(parts: list[str], ranked: list[int], best: int) -> list[str]:
    """The parts with each pair of the best rank made one, from the left."""
    again, at = [], 0
    while at < len(parts):
        if at < len(ranked) and ranked[at] == best:
            again.append(parts[at] + parts[at + 1])
            at += 2
        else:
            again.append(parts[at])
            at += 1
    return again


def byte_letters() -> list[str]:
    """The letter that stands for each byte: itself where it can be seen, else one from 256 on.

    https://github.com/openai/CLIP/blob/main/clip/simple_tokenizer.py (`bytes_to_unicode`) says which.
    """
    seen = {*range(33, 127), *range(161, 173), *range(174, 256)}
    unseen = [byte for byte in range(256) if byte not in seen]
    return [chr(byte) if byte in seen else chr(256 + unseen.index(byte)) for byte in range(256)]


def words_of(text: str) -> list[str]:
    """The pieces of a text that are cut into tokens one by one."""
    lowered = mended(text).lower()
    if lowered.isascii():
        return WORD.findall(lowered)
    alike = "".join(map(_kind, lowered))
    return [lowered[found.start() : found.end()] for found in WORD.finditer(alike)]


def _kind(letter: str) -> str:
    if letter.isascii():
        return letter
    if letter.isspace():
        return " "
    return {"L": "a", "N": "0"}.get(unicodedata.category(letter)[0], ".")


def mended(text: str) -> str:
    """What the WebUI's tokenizers mend before they look for words, but text that was read in a wrong encoding."""
    text = UNSEEN.sub("", text)
    if "<" not in text and "&" in text:
        text = ENTITY.sub(lambda found: html.unescape(found[0]), text)
    if text.isascii():
        return text
    text = text.translate(QUOTES).translate(LIGATURES)
    wide = "".join(unicodedata.normalize("NFKC", each) if "\uff01" <= each <= "\uff5e" else each for each in text)
    return unicodedata.normalize("NFC", wide.replace("\u3000", " "))
