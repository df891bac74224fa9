"""Words that nobody knows: neither CLIP, whose vocabulary is that of the web, nor other captions of the folder."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from string import ascii_lowercase

from lib_trainer.images.wording.clip_pieces import ClipPieces

WORD = re.compile(r"[a-z]+(?:'[a-z]+)?", re.IGNORECASE)
SHORTEST = 4  # shorter ones are too near each other
USUAL = 3  # a word in so many captions is meant: a trigger word, a name
ENDINGS = ("'s", "s", "es", "ed", "ing", "ly", "er", "less", "like")
MOST_SUGGESTED = 3


class Spelling:
    """What is known of words, from the captions of a folder and from CLIP's vocabulary."""

    def __init__(self, captions: Iterable[str], pieces: ClipPieces) -> None:
        self._often: Counter[str] = Counter()
        for caption in captions:
            self._often.update({word.lower() for word in WORD.findall(caption)})
        self._pieces = pieces
        self._usual = {word for word, count in self._often.items() if count >= USUAL}
        self._suggested: dict[str, list[str]] = {}

    def unknown(self, caption: str) -> list[str]:
        """The words of a caption that are not known, in small letters, each once."""
        words = dict.fromkeys(word.lower() for word in WORD.findall(caption.replace("_", " ")))
        return [word for word in words if len(word) >= SHORTEST and not self._is_known(word)]

    def suggested(self, word: str) -> list[str]:
        """Known words with one mistake between them and this one, those that the folder uses first."""
        if word not in self._suggested:
            near = {each for each in _one_mistake(word) if len(each) >= SHORTEST and self._is_word(each)}
            self._suggested[word] = sorted(near, key=lambda each: (-self._often[each], self._rank(each)))
        return self._suggested[word][:MOST_SUGGESTED]

    def _rank(self, word: str) -> int:
        return self._pieces.ranks_of_words.get(word, len(self._pieces.ranks_of_words))

    def _is_word(self, word: str) -> bool:
        return word in self._usual or word in self._pieces.ranks_of_words

    def _is_known(self, word: str) -> bool:
        stems = (word.removesuffix(ending) for ending in ENDINGS if word.endswith(ending))
        return self._is_word(word) or any(len(stem) >= SHORTEST and self._is_word(stem) for stem in stems)


def misspelled(captions: Mapping[int, str], spelling: Spelling) -> dict[str, list[int]]:
    """Each unknown word for which another is suggested, and the numbers of the captions that have it."""
    found: dict[str, list[int]] = {}
    for number, caption in captions.items():
        for word in spelling.unknown(caption):
            found.setdefault(word, []).append(number)
    return {word: numbers for word, numbers in found.items() if spelling.suggested(word)}


def _one_mistake(word: str) -> Iterator[str]:
    """All that this word can be when one letter is wrong, missing, too many, or two are exchanged."""
    for at in range(len(word) + 1):
        before, behind = word[:at], word[at:]
        yield from (f"{before}{letter}{behind}" for letter in ascii_lowercase)
        if behind:
            yield before + behind[1:]
            yield from (f"{before}{letter}{behind[1:]}" for letter in ascii_lowercase)
        if len(behind) > 1:
            yield f"{before}{behind[1]}{behind[0]}{behind[2:]}"
