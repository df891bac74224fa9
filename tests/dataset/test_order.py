from __future__ import annotations

from collections import Counter

from lib_trainer.dataset.order import Showing, epoch_batches, steps_per_epoch

BUCKETS = [(512, 512)] * 5 + [(448, 576)] * 3 + [(576, 448)]
REPEATS = [1, 2, 3, 1, 1, 4, 1, 1, 2]


def batches(seed: int = 3, epoch: int = 0, batch_size: int = 4) -> list[list[Showing]]:
    return epoch_batches(BUCKETS, REPEATS, batch_size, seed, epoch)


def test_each_picture_is_shown_exactly_as_often_as_its_repeats_say() -> None:
    shown = Counter(showing.entry for batch in batches() for showing in batch)
    assert [shown[entry] for entry in range(len(BUCKETS))] == REPEATS


def test_no_showing_comes_twice() -> None:
    showings = [showing for batch in batches() for showing in batch]
    assert len(set(showings)) == len(showings)


def test_a_batch_never_mixes_buckets() -> None:
    for epoch in range(20):
        assert all(len({BUCKETS[showing.entry] for showing in batch}) == 1 for batch in batches(epoch=epoch))


def test_short_last_batches_stay_short() -> None:
    # 8 showings of the first bucket, 6 of the second, 2 of the third.
    assert sorted(len(batch) for batch in batches(batch_size=4)) == [2, 2, 4, 4, 4]


def test_the_same_seed_and_epoch_give_the_same_order() -> None:
    assert batches(seed=5, epoch=2) == batches(seed=5, epoch=2)


def test_the_order_changes_with_the_epoch_and_with_the_seed() -> None:
    assert batches(epoch=0) != batches(epoch=1)
    assert batches(seed=3) != batches(seed=4)


def test_buckets_come_mixed_rather_than_one_after_the_other() -> None:
    first = Counter(BUCKETS[batches(epoch=epoch)[0][0].entry] for epoch in range(60))
    assert set(first) == set(BUCKETS)


def test_steps_are_counted_as_they_come() -> None:
    for batch_size in (1, 3, 4, 100):
        assert steps_per_epoch(BUCKETS, REPEATS, batch_size) == len(batches(batch_size=batch_size))


def test_each_showing_has_its_own_random_numbers_which_never_change() -> None:
    drawn = {
        Showing(entry, repeat).random(seed, epoch, purpose).random()
        for entry in range(3) for repeat in range(3) for seed in range(3) for epoch in range(3)
        for purpose in ("flip", "caption")
    }
    assert len(drawn) == 162
    assert Showing(1, 2).random(3, 4, "flip").random() == Showing(1, 2).random(3, 4, "flip").random()
