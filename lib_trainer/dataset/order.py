"""The order in which pictures are shown: the batches of an epoch as a pure function of the seed and the epoch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

Size = tuple[int, int]


@dataclass(frozen=True)
class Showing:
    """One use of a picture in an epoch: the entry's number and which of its repeats this is, both from 0."""

    entry: int
    repeat: int

    def random(self, seed: int, epoch: int, purpose: str) -> Random:
        """The generator for one purpose ('caption', 'flip') of this showing; the same whenever it is asked for."""
        return Random(f"{seed}/{epoch}/{self.entry}/{self.repeat}/{purpose}")


def epoch_batches(
    buckets: Sequence[Size], repeats: Sequence[int], batch_size: int, seed: int, epoch: int
) -> list[list[Showing]]:
    """The batches of one epoch, each of one bucket; `buckets` and `repeats` are those of the entries, in their order.

    Each entry comes exactly as often as its repeats say. The last batch of a bucket stays as short as it is.
    """
    random = Random(f"{seed}/{epoch}")
    batches = []
    for bucket in sorted(set(buckets)):
        showings = [
            Showing(entry, repeat)
            for entry, size in enumerate(buckets)
            if size == bucket
            for repeat in range(repeats[entry])
        ]
        random.shuffle(showings)
        batches += [showings[start : start + batch_size] for start in range(0, len(showings), batch_size)]
    random.shuffle(batches)
    return batches


def steps_per_epoch(buckets: Sequence[Size], repeats: Sequence[int], batch_size: int) -> int:
    """How many batches `epoch_batches` gives; the same for each epoch."""
    showings: Counter[Size] = Counter()
    for bucket, times in zip(buckets, repeats, strict=True):
        showings[bucket] += times
    return sum(-(-count // batch_size) for count in showings.values())
