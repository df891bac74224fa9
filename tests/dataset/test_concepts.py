"""Concepts: several folders with words of their own in one dataset."""

from __future__ import annotations

from collections import Counter

import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import ConfigError, DataError  # noqa: E402
from lib_trainer.dataset.concept_options import ConceptOptions  # noqa: E402
from lib_trainer.dataset.entries import find_entries  # noqa: E402
from lib_trainer.dataset.opening import open_dataset  # noqa: E402
from lib_trainer.dataset.options import DatasetOptions, held_out_options  # noqa: E402
from lib_trainer.dataset.prospects import survey  # noqa: E402
from lib_trainer.images.options import BucketOptions, CaptionOptions  # noqa: E402

SMALL = BucketOptions(resolution=64, step=8)


@pytest.fixture
def pictures(make_picture, tmp_path):
    """Two pictures of a dog, one with a caption, one of a cat, and one of neither."""
    make_picture("dogs/a.png")
    make_picture("dogs/b.png", caption="a photo of sks dog on grass")
    make_picture("cats/c.png")
    make_picture("d.png")
    return tmp_path / "pictures"


def options(folder, *concepts, **told):
    return DatasetOptions(folder=folder, buckets=SMALL, concepts=concepts, **told)


def found(options, context):
    """Name -> caption and concept of what there is to learn."""
    return {entry.path.stem: (entry.caption, entry.concept) for entry in find_entries(options, context)}


@pytest.mark.option("ConceptOptions.folder", "ConceptOptions.prompt")
def test_each_concept_has_its_folder_and_its_words(pictures, context):
    dog = ConceptOptions(folder=pictures / "dogs", prompt="a photo of sks dog")
    cat = ConceptOptions(folder=pictures / "cats", prompt="a photo of qqq cat")
    told = options(pictures, dog, cat, captions=CaptionOptions(prompt="something"))
    assert found(told, context) == {
        "a": ("a photo of sks dog", 0), "b": ("a photo of sks dog on grass", 0),
        "c": ("a photo of qqq cat", 1), "d": ("something", None),
    }  # fmt: skip


def test_a_concept_without_a_folder_is_that_of_the_folder_of_pictures(pictures, context):
    told = options(pictures / "dogs", ConceptOptions(prompt="a photo of sks dog"))
    assert found(told, context)["a"] == ("a photo of sks dog", 0)


def test_a_folder_that_holds_only_those_of_concepts_adds_nothing(pictures, context):
    (pictures / "d.png").unlink()
    told = options(pictures, *(ConceptOptions(folder=pictures / name) for name in ("dogs", "cats")))
    assert {name: concept for name, (_, concept) in found(told, context).items()} == {"a": 0, "b": 0, "c": 1}


def test_each_picture_is_learnt_as_often_as_without_concepts(pictures, model, context):
    dog = ConceptOptions(folder=pictures / "dogs", prompt="a photo of sks dog")
    dataset = open_dataset(options(pictures, dog, repeats=2), model, context)
    shown = [path.stem for plan in dataset.batches(0) for path in dataset.load(plan, 0).paths]
    assert sorted(shown) == sorted("abcd" * 2)


@pytest.mark.option("ConceptOptions.repeats")
def test_a_concept_has_repeats_of_its_own_besides_those_of_the_folder_and_the_training(
    make_picture, pictures, model, context
):
    make_picture("cats/3_black/e.png")
    concepts = [ConceptOptions(folder=pictures / name, repeats=count) for name, count in (("dogs", 5), ("cats", 4))]
    dataset = open_dataset(options(pictures, *concepts, repeats=2), model, context)
    shown = [path.stem for plan in dataset.batches(0) for path in dataset.load(plan, 0).paths]
    assert Counter(shown) == {"a": 10, "b": 10, "c": 8, "d": 2, "e": 24}
    assert {one.path.stem: one.repeats for one in survey(options(pictures, *concepts), context.cache, print).pictures} \
        == {"a": 5, "b": 5, "c": 4, "d": 1, "e": 12}  # fmt: skip


def test_what_is_surveyed_is_what_is_trained_on(pictures, context, tmp_path):
    told = options(pictures, ConceptOptions(folder=pictures / "dogs", prompt="a photo of sks dog"))
    seen = survey(told, tmp_path / "cache", lambda done, total: None).pictures
    assert {one.path.stem: (one.caption, one.concept) for one in seen} == found(told, context)


@pytest.mark.parametrize(("concepts", "words"), [
    ([{"folder": "dogs"}, {"folder": "dogs"}], "'concepts.2.folder' is PLACE/dogs, the folder of concept 1 too"),
    ([{}, {}], "'concepts.2.folder' is PLACE, the folder of concept 1 too"),
    ([{"folder": "dogs", "class_folder": "dogs"}], "PLACE/dogs is the folder of the pictures to learn as well"),
    ([{"folder": "dogs", "class_folder": "dogs/a/b"}], "PLACE/dogs/a/b lies inside PLACE/dogs, the folder of the pict"),
    ([{"class_folder": "x/../y"}], "'concepts.1.class_folder': PLACE/x/../y lies inside PLACE, the folder of the"),
    ([{"folder": "dogs", "class_folder": ".."}], "PLACE/.. holds PLACE/dogs, the folder of the pictures to learn"),
    ([{"folder": "dogs"}, {"folder": "cats", "class_folder": "dogs/c"}], "PLACE/dogs/c lies inside PLACE/dogs"),
])  # fmt: skip
def test_a_folder_that_would_serve_for_two_things_is_refused_with_both_paths(concepts, words, tmp_path):
    told = [ConceptOptions(**{name: tmp_path / place for name, place in one.items()}) for one in concepts]
    with pytest.raises(ConfigError) as refused:
        options(tmp_path, *told)
    assert words in str(refused.value).replace(str(tmp_path), "PLACE")


@pytest.mark.parametrize("look", [find_entries, lambda told, context: survey(told, context.cache, print)])
def test_a_link_into_the_pictures_to_learn_is_seen_through(look, pictures, context, tmp_path):
    link = tmp_path / "classes"
    link.symlink_to(pictures / "dogs", target_is_directory=True)
    with pytest.raises(ConfigError, match="dogs is the folder of the pictures to learn as well"):
        look(options(pictures / "dogs", ConceptOptions(class_folder=link)), context)


def test_a_concept_without_pictures_is_named(pictures, context):
    (pictures / "none").mkdir()
    with pytest.raises(DataError, match="none holds no picture"):
        find_entries(options(pictures, ConceptOptions(folder=pictures / "none")), context)


def test_pictures_kept_aside_have_the_words_of_the_concept_of_the_folder_of_pictures(pictures):
    told = options(pictures, ConceptOptions(prompt="sks dog"), ConceptOptions(folder=pictures / "cats", prompt="cat"))
    aside = held_out_options(told, pictures / "aside")
    assert (aside.captions.prompt, aside.concepts) == ("sks dog", ())
