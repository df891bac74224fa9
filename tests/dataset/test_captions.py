from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

import pytest

from lib_trainer.dataset.captions import steady_captions, vary_caption
from lib_trainer.dataset.options import DatasetOptions

TAGS = "1girl, red hair, smile, outdoors, night"


def options(**changed: object) -> DatasetOptions:
    return DatasetOptions(folder=Path("pictures"), **changed)  # type: ignore[arg-type]


def many(caption: str, chosen: DatasetOptions, count: int = 400) -> list[str]:
    return [vary_caption(caption, chosen, Random(f"7/{number}")) for number in range(count)]


def test_without_options_a_caption_stays_as_it_is() -> None:
    assert vary_caption(" a cat,  sitting on a mat. ", options(), Random(0)) == "a cat,  sitting on a mat."


@pytest.mark.option("DatasetOptions.trigger")
def test_the_trigger_comes_in_front() -> None:
    assert vary_caption("a red apple", options(trigger="ohwx"), Random(0)) == "ohwx, a red apple"


def test_the_trigger_stands_alone_where_there_is_no_caption() -> None:
    assert vary_caption("", options(trigger="ohwx"), Random(0)) == "ohwx"


@pytest.mark.parametrize("caption", ["ohwx", "ohwx, a red apple", "ohwx man, smiling"])
def test_a_caption_that_begins_with_the_trigger_does_not_get_it_twice(caption: str) -> None:
    assert vary_caption(caption, options(trigger="ohwx"), Random(0)) == caption


def test_a_longer_word_that_begins_like_the_trigger_is_not_the_trigger() -> None:
    assert vary_caption("catwalk", options(trigger="cat"), Random(0)) == "cat, catwalk"


@pytest.mark.option("DatasetOptions.shuffle_tags")
def test_shuffling_gives_every_order_and_loses_no_tag() -> None:
    seen = Counter(many("a, b, c", options(shuffle_tags=True), 600))
    assert set(seen) == {"a, b, c", "a, c, b", "b, a, c", "b, c, a", "c, a, b", "c, b, a"}
    assert min(seen.values()) > 60


@pytest.mark.option("DatasetOptions.keep_tags")
def test_kept_tags_stay_in_front_unshuffled_and_undropped() -> None:
    for caption in many(TAGS, options(shuffle_tags=True, keep_tags=2, tag_dropout=0.5)):
        assert caption.startswith("1girl, red hair")
    assert vary_caption(TAGS, options(keep_tags=2, tag_dropout=1), Random(0)) == "1girl, red hair"


def test_the_trigger_does_not_count_among_kept_tags_and_is_never_shuffled_or_dropped() -> None:
    chosen = options(trigger="ohwx", shuffle_tags=True, keep_tags=1, tag_dropout=0.5)
    captions = many(TAGS, chosen) + many(f"ohwx, {TAGS}", chosen)
    assert all(caption.startswith("ohwx, 1girl") and caption.count("ohwx") == 1 for caption in captions)
    assert vary_caption("ohwx, smile", options(trigger="ohwx", tag_dropout=1), Random(0)) == "ohwx"


@pytest.mark.option("DatasetOptions.tag_dropout")
def test_each_tag_is_dropped_as_often_as_asked() -> None:
    left = Counter(tag for caption in many(TAGS, options(tag_dropout=0.25), 2000) for tag in caption.split(", "))
    assert all(0.71 < left[tag] / 2000 < 0.79 for tag in TAGS.split(", "))


@pytest.mark.option("DatasetOptions.caption_dropout")
def test_a_dropped_caption_is_empty_without_the_trigger_and_as_frequent_as_asked() -> None:
    captions = Counter(many("a cat", options(caption_dropout=0.1, trigger="ohwx"), 3000))
    assert set(captions) == {"", "ohwx, a cat"}
    assert 0.08 < captions[""] / 3000 < 0.12


def test_the_same_generator_gives_the_same_caption() -> None:
    chosen = options(shuffle_tags=True, tag_dropout=0.3, caption_dropout=0.1)
    assert many(TAGS, chosen) == many(TAGS, chosen)


def test_steady_captions_are_all_that_can_occur() -> None:
    chosen = options(trigger="ohwx", caption_dropout=0.5)
    captions = ["a cat", "", "a dog", "a cat"]
    assert steady_captions(captions, chosen) == ["ohwx, a cat", "ohwx", "ohwx, a dog", ""]
    seen = {text for caption in captions for text in many(caption, chosen)}
    assert seen == {"ohwx, a cat", "ohwx", "ohwx, a dog", ""}


def test_shuffled_captions_cannot_be_listed() -> None:
    assert steady_captions([TAGS], options(shuffle_tags=True)) is None
    assert steady_captions([TAGS], options(tag_dropout=0.1)) is None
