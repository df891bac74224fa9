"""Tables of ratings, and what they and the epoch make of the pictures that are shown."""

from __future__ import annotations

import dataclasses
from collections import Counter
from itertools import permutations
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import DataError  # noqa: E402
from lib_trainer.dataset.drawing_lots import Lots  # noqa: E402
from lib_trainer.dataset.opening import open_dataset  # noqa: E402
from lib_trainer.dataset.options import DatasetOptions, held_out_options  # noqa: E402
from lib_trainer.dataset.overrides import Overrides  # noqa: E402
from lib_trainer.dataset.prospects import survey  # noqa: E402
from lib_trainer.dataset.rating_options import RatingOptions  # noqa: E402
from lib_trainer.dataset.ratings import read_ratings  # noqa: E402
from lib_trainer.images.options import BucketOptions  # noqa: E402

FOLDER = Path("/pictures")
PICTURES = [FOLDER / name for name in ("a.png", "one/b.png", "two/b.png", "one/c, d.png")]


@dataclasses.dataclass(frozen=True)
class Picture:
    path: Path
    repeats: int
    rating: float
    own: Overrides = Overrides()


@pytest.fixture
def table(tmp_path):
    def made(text):
        path = tmp_path / "ratings.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return made


@pytest.mark.parametrize(
    "text",
    [
        "a.png,4\none/b.png,0.5\n",
        "file;rating\na.png;4\n\none\\b.png; 0.5",
        "a.png\t4\none/b.png\t0.5\n",
        "picture,stars\na.png,4\none/b.png,0.5\n",
    ],
)
def test_names_and_numbers_are_read_with_and_without_a_heading(table, text):
    assert read_ratings(table(text), FOLDER, PICTURES) == ({PICTURES[0]: 4, PICTURES[1]: 0.5}, [])


def test_a_name_with_a_comma_stands_in_quotes(table):
    assert read_ratings(table('"c, d.png",3'), FOLDER, PICTURES)[0] == {PICTURES[3]: 3}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a.png,4\nb.png,1", r"Line 2 of .*ratings.csv names b\.png, but 2 pictures are called so; add the folder"),
        ("a.png,4\na.png,good", r"Line 2 of .* is 'a\.png,good'; it must be a picture's name, a comma, and a number"),
        ("a.png,0", r"Line 1 of .* is 'a\.png,0'; .* above 0"),
        ("a.png,nan", r"Line 1 of .* is 'a\.png,nan'"),
        ("a.png", r"Line 1 of .* is 'a\.png'"),
        ("gone.png,4", r"names no picture in .*pictures; a line is"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(table, text, said):
    with pytest.raises(DataError, match=said):
        read_ratings(table(text), FOLDER, PICTURES)


def test_names_of_nothing_are_told(table):
    _, notices = read_ratings(table("a.png,4\ngone.png,3"), FOLDER, PICTURES)
    assert len(notices) == 1 and "names no picture that is here: gone.png." in notices[0]


def test_epochs_shrink_by_everydreams_rule():
    lots = Lots(last=0.5, epochs=4, seed=0)
    assert [lots.share(epoch) for epoch in range(4)] == [1, 0.875, 0.75, 0.625]
    pictures = [Picture(Path(f"{number}"), 2, 1) for number in range(10)]
    shown = [lots.repeats(pictures, epoch) for epoch in range(4)]
    assert [sum(repeats) // 2 for repeats in shown] == [10, 9, 8, 7]  # rounded up
    assert all(set(repeats) <= {0, 2} for repeats in shown)


def test_pictures_are_drawn_as_their_ratings_say_without_putting_back():
    ratings = {"a": 1, "b": 2, "c": 4}
    pictures = [Picture(Path(name), 1, rating) for name, rating in ratings.items()]
    expected: Counter[str] = Counter()  # the chance to be among the two that are drawn one after the other
    for first, second, _ in permutations(ratings):
        chance = ratings[first] / 7 * ratings[second] / (7 - ratings[first])
        expected[first] += chance
        expected[second] += chance
    found: Counter[str] = Counter()
    for seed in range(4000):
        drawn = Lots(last=0.2, epochs=2, seed=seed).repeats(pictures, 1)  # 0.6 of three, rounded up
        assert sum(drawn) == 2
        found.update(name for name, shown in zip(ratings, drawn, strict=True) if shown)
    for name in ratings:
        assert found[name] / 4000 == pytest.approx(expected[name], abs=0.025)


def test_every_epoch_draws_anew_and_always_in_the_same_way():
    pictures = [Picture(Path(f"{number}"), 1, 1) for number in range(30)]
    lots = Lots(last=0.1, epochs=100, seed=1)
    assert lots.repeats(pictures, 60) == lots.repeats(pictures, 60) != lots.repeats(pictures, 61)
    assert lots.repeats(pictures, 60) != Lots(0.1, 100, seed=2).repeats(pictures, 60)


@pytest.fixture
def options(tmp_path):
    return DatasetOptions(
        folder=tmp_path / "pictures", buckets=BucketOptions(resolution=64, step=8), rating=RatingOptions(last_epoch=0.2)
    )


@pytest.mark.option("DatasetOptions.rating", "RatingOptions.last_epoch")
def test_the_epochs_of_a_dataset_have_as_many_batches_as_they_say(options, model, context, make_picture):
    for number in range(5):
        make_picture(f"{number}.png")
    dataset = open_dataset(options, model, dataclasses.replace(context, epochs=3))
    shown = [[entry for plan in dataset.batches(epoch) for entry in plan] for epoch in range(3)]
    assert [len(showings) for showings in shown] == [5, 4, 3]
    assert dataset.epoch_lengths == [len(dataset.batches(epoch)) for epoch in range(3)] == [3, 2, 2]
    always = open_dataset(dataclasses.replace(options, rating=RatingOptions()), model, context)
    assert always.epoch_lengths == [3]


@pytest.mark.option("RatingOptions.file")
def test_the_better_pictures_stay_in_all_their_sizes(options, model, context, make_picture, table):
    for number in range(5):
        make_picture(f"{number}.png", (200, 200))
    rated = RatingOptions(last_epoch=0.2, file=table("0.png,1e9\n1.png,1e9\n"))
    several = dataclasses.replace(options, rating=rated, more_resolutions=(80,))
    dataset = open_dataset(several, model, dataclasses.replace(context, epochs=3))
    paths = Counter(dataset.entries[showing.entry].path.stem for plan in dataset.batches(2) for showing in plan)
    assert paths["0"] == paths["1"] == 2 and sum(paths.values()) == 6
    found = survey(several, context.cache, lambda done, total: None)
    assert [picture.rating for picture in found.pictures] == [entry.rating for entry in dataset.entries]


def test_held_out_pictures_are_all_measured(options, tmp_path):
    assert held_out_options(options, tmp_path).rating == RatingOptions()
