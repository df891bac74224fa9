"""From candidates to links: each candidate gets a closer look, unless what is known already says what it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lib_trainer.images.duplicates.alignment import Frames, Pairs, likeness
from lib_trainer.images.duplicates.candidates import GUESSES, Candidates, Guess, Integers
from lib_trainer.images.duplicates.fingerprints import Floats, Looks

AT_A_TIME = 256  # pairs that are laid over each other
AHEAD = 4096  # candidates among which the next ones to look at are chosen
TRIES = 6  # so many pairs of two sets that are not alike, and the sets are taken for different
CROWD = 4  # pictures of a set: between two sets so large one weak likeness may be a mistake that joins them all
WEAKLY = 0.05  # above what is asked for, and up to there a likeness is weak
VOTES = 3  # so many weak ones, and two large sets are joined
CLEARLY = 0.005  # so much more alike when mirrored, and one is the other's mirrored copy


@dataclass(frozen=True)
class Link:
    """Two pictures, by their numbers, that show the same, mirrored or not."""

    first: int
    second: int
    likeness: float
    is_mirrored: bool


class Sets:
    """Which pictures belong together, as sets that grow into each other."""

    def __init__(self, count: int) -> None:
        self._above = list(range(count))
        self._sizes = [1] * count

    def copy(self) -> Sets:
        """The same sets, to be joined apart from these."""
        twin = Sets(0)
        twin._above, twin._sizes = list(self._above), list(self._sizes)
        return twin

    def of(self, number: int) -> int:
        """The number that stands for the set of a picture."""
        while self._above[number] != number:
            self._above[number] = self._above[self._above[number]]
            number = self._above[number]
        return number

    def pair(self, one: int, other: int) -> tuple[int, int]:
        """The two sets of two pictures, the same whichever comes first."""
        return min(self.of(one), self.of(other)), max(self.of(one), self.of(other))

    def join(self, one: int, other: int) -> None:
        """Make one set of the sets of two pictures."""
        one, other = self.of(one), self.of(other)
        if one != other:
            self._above[one] = other
            self._sizes[other] += self._sizes[one]

    def size(self, number: int) -> int:
        """How many pictures are in the set of one."""
        return self._sizes[self.of(number)]


def find_links(
    looks: Looks, candidates: Candidates, least: float, on_progress: Callable[[int, int], None]
) -> list[Link]:
    """The candidates that are at least so alike: enough of them to join all that belongs together.

    `on_progress(done, total)` counts candidates; what it raises ends the search.
    """
    search = _Search(looks, candidates, least)
    # What is mirrored of which set can only be said once the sets are there.
    ways = [np.nonzero(told >= 0)[0] for told in (candidates.straight, candidates.turned)]
    total, done = sum(map(len, ways)), 0
    for is_mirrored, wanted in zip((False, True), ways, strict=True):
        search.failed.clear()
        for start in range(0, len(wanted), AHEAD):
            waiting = [int(number) for number in wanted[start : start + AHEAD]]
            while waiting:
                waiting = search.look(waiting, is_mirrored)
                on_progress(min(done + start + AHEAD, done + len(wanted)) - len(waiting), total)
        done += len(wanted)
    return search.links


class _Search:
    """What is known so far."""

    def __init__(self, looks: Looks, candidates: Candidates, least: float) -> None:
        self.looks, self.candidates, self.least = looks, candidates, least
        self.links: list[Link] = []
        self.sets = Sets(len(looks.squares))
        self.failed: Counter[tuple[int, int]] = Counter()
        self.votes: Counter[tuple[int, int]] = Counter()
        self.mirrored: set[tuple[int, int]] = set()

    def look(self, waiting: Sequence[int], is_mirrored: bool) -> list[int]:
        """Look at some candidates, such that none is likely to be answered by another; those that still wait."""
        expected = self.sets.copy()
        chosen: list[int] = []
        left: list[int] = []
        for number in waiting:
            first, second = self._pair(number)
            between = self.sets.pair(first, second)
            if between[0] == between[1] or between in self.mirrored or self.failed[between] >= TRIES:
                continue
            if len(chosen) < AT_A_TIME and expected.of(first) != expected.of(second):
                chosen.append(number)
                expected.join(first, second)
            else:
                left.append(number)
        for number, (alike, turned) in zip(chosen, self._alike(chosen), strict=True):
            self._note(number, alike, turned, is_mirrored)
        return left

    def _note(self, number: int, alike: float, turned: float, is_mirrored: bool) -> None:
        first, second = self._pair(number)
        between = self.sets.pair(first, second)
        is_turned = turned > alike + CLEARLY or is_mirrored
        if max(alike, turned) < self.least:
            self.failed[between] += 1
        elif is_turned:
            self.links.append(Link(first, second, turned, True))
            self.mirrored.add(between)
        elif self._is_sure(between, alike):
            self.links.append(Link(first, second, alike, False))
            self.sets.join(first, second)

    def _is_sure(self, between: tuple[int, int], alike: float) -> bool:
        """Whether so much likeness is enough to join two sets."""
        if alike >= self.least + WEAKLY or min(map(self.sets.size, between)) < CROWD:
            return True
        self.votes[between] += 1
        return self.votes[between] >= VOTES

    def _pair(self, number: int) -> tuple[int, int]:
        return int(self.candidates.first[number]), int(self.candidates.second[number])

    def _alike(self, chosen: Sequence[int]) -> list[tuple[float, float]]:
        """How alike the two of each candidate are as they are, and mirrored."""
        numbers = np.array(chosen, dtype=np.int64)
        found = np.zeros((len(numbers), 2))
        for way, guesses in enumerate((self.candidates.straight, self.candidates.turned)):
            here = np.nonzero(guesses[numbers] >= 0)[0]
            if len(here):
                found[here, way] = self._laid_over(numbers[here], guesses[numbers[here]], bool(way))
        return [(float(alike), float(turned)) for alike, turned in found]

    def _laid_over(self, numbers: Integers, guesses: Integers, is_turned: bool) -> Floats:
        first = self.looks.some(self.candidates.first[numbers], is_turned)
        second = self.looks.some(self.candidates.second[numbers])
        told = [GUESSES[guess] for guess in guesses]
        shown: Frames = np.array([guess.second for guess in told], dtype=np.float64)
        return likeness(Pairs(first, second, _frames(told), shown))


def _frames(guesses: Sequence[Guess]) -> npt.NDArray[np.float64]:
    """Where in the first picture all of the second one lies, if the guessed parts lie over each other."""
    first = np.array([guess.first for guess in guesses], dtype=np.float64)
    second = np.array([guess.second for guess in guesses], dtype=np.float64)
    scales = (first[:, 2:] - first[:, :2]) / (second[:, 2:] - second[:, :2])
    start = first[:, :2] - second[:, :2] * scales
    return np.concatenate([start, start + scales], axis=1)
