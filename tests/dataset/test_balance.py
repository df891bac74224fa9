"""Concepts of different sizes come about equally often, in what is planned as in what is trained."""

from __future__ import annotations

from collections import Counter

import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.dataset.concept_options import ConceptOptions  # noqa: E402
from lib_trainer.dataset.entries import find_entries  # noqa: E402
from lib_trainer.dataset.options import DatasetOptions  # noqa: E402
from lib_trainer.dataset.prospects import survey  # noqa: E402
from lib_trainer.images.options import BucketOptions  # noqa: E402

SMALL = BucketOptions(resolution=64, step=8)


@pytest.fixture
def pictures(make_picture, tmp_path):
    """Seven dogs, three cats, and one picture that lies in neither folder."""
    for number in range(7):
        make_picture(f"dogs/{number}.png")
    for number in range(3):
        make_picture(f"cats/{number}.png")
    make_picture("alone.png")
    return tmp_path / "pictures"


def options(folder, *concepts, **told):
    return DatasetOptions(folder=folder, buckets=SMALL, concepts=concepts, **told)


def shown(pictures):
    """How often an epoch shows the pictures of each folder."""
    counts = Counter()
    for picture in pictures:
        counts[picture.path.parent.name] += picture.repeats
    return dict(counts)


@pytest.mark.option("DatasetOptions.balance")
def test_folders_come_about_equally_often(pictures, context):
    assert shown(find_entries(options(pictures), context)) == {"dogs": 7, "cats": 3, "pictures": 1}
    even = options(pictures, balance=True)
    # 7 / 3 is nearest to 2 whole repeats, 7 / 1 is 7.
    assert shown(find_entries(even, context)) == {"dogs": 7, "cats": 6, "pictures": 7}


def test_what_is_planned_is_what_is_trained(pictures, context, recording, tmp_path):
    even = options(pictures, balance=True, repeats=2)
    planned = survey(even, tmp_path / "cache", lambda done, total: None)
    assert shown(planned.pictures) == shown(find_entries(even, context)) == {"dogs": 14, "cats": 12, "pictures": 14}
    said = "Pictures in 'cats' come 2 times as often"
    assert said in "\n".join(getattr(event, "message", "") for event in planned.report)
    assert said in recording.messages


def test_concepts_are_what_is_balanced_where_some_are_told(pictures, context, recording):
    dogs, cats = (ConceptOptions(folder=pictures / name) for name in ("dogs", "cats"))
    found = find_entries(options(pictures, dogs, cats, balance=True), context)
    assert shown(found) == {"dogs": 7, "cats": 6, "pictures": 7}
    assert "Pictures of concept 2 (cats) come 2 times as often" in recording.messages
    # As one concept, the folder and all in it are one group.
    assert shown(find_entries(options(pictures, ConceptOptions(prompt="x"), balance=True), context)) == {
        "dogs": 7, "cats": 3, "pictures": 1,
    }  # fmt: skip


def test_the_repeats_of_folders_count(make_picture, tmp_path, context):
    make_picture("10_dogs/a.png")
    for number in range(5):
        make_picture(f"cats/{number}.png")
    found = find_entries(options(tmp_path / "pictures", balance=True), context)
    assert shown(found) == {"10_dogs": 10, "cats": 10}
