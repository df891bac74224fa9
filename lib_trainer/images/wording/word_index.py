"""Which pictures have which tag, kept up to date as captions change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from lib_trainer.images.wording.tags import key, tags_of


class WordIndex:
    """Tags by their keys, of captions by their numbers."""

    def __init__(self, captions: Mapping[int, str]) -> None:
        self._keys: dict[int, dict[str, str]] = {}
        self._having: dict[str, set[int]] = {}
        self._spellings: dict[str, Counter[str]] = {}
        for number, caption in captions.items():
            self.put(number, caption)

    def put(self, number: int, caption: str) -> None:
        """Take the caption of a number for what it was before."""
        for known, tag in self._keys.pop(number, {}).items():
            self._having[known].discard(number)
            self._spellings[known][tag] -= 1
            if not self._having[known]:
                del self._having[known], self._spellings[known]
        self._keys[number] = {key(tag): tag for tag in tags_of(caption)}
        for known, tag in self._keys[number].items():
            self._having.setdefault(known, set()).add(number)
            self._spellings.setdefault(known, Counter())[tag] += 1

    def having(self, tag: str) -> frozenset[int]:
        """The numbers of the captions that have a tag."""
        return frozenset(self._having.get(key(tag), ()))

    def tags_in(self, number: int) -> Collection[str]:
        """The keys of one caption's tags."""
        return self._keys.get(number, {}).keys()

    def keys(self) -> Collection[str]:
        """The keys of all tags."""
        return self._having.keys()

    def spelled(self, known: str) -> str:
        """A tag as most captions write it."""
        return self._spellings[known].most_common(1)[0][0] if known in self._spellings else known

    def count_of(self, tag: str) -> int:
        """How many captions have a tag."""
        return len(self._having.get(key(tag), ()))

    def counts(self, among: Collection[int] | None = None) -> list[tuple[str, int]]:
        """All tags of some captions (or of all) and in how many they are: the most frequent first."""
        if among is None:
            counted = {known: len(numbers) for known, numbers in self._having.items()}
        else:
            counter: Counter[str] = Counter()
            for number in among:
                counter.update(self.tags_in(number))
            counted = dict(counter)
        return sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
