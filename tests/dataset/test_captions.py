from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

import pytest

from lib_trainer.dataset.captions import steady_captions, vary_caption
from lib_trainer.dataset.options import DatasetOptions
from lib_trainer.dataset.wording_options import WordingOptions

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


def wording(**changed: object) -> WordingOptions:
    return WordingOptions(**changed)  # type: ignore[arg-type]


@pytest.mark.option("WordingOptions.prefix", "WordingOptions.suffix")
def test_prefix_and_suffix_are_put_around_the_caption_behind_the_trigger_and_never_shuffled() -> None:
    chosen = options(trigger="ohwx", shuffle_tags=True, wording=wording(prefix="a photo of", suffix="on white"))
    assert set(many("a, b", chosen)) == {"ohwx, a photo of a, b on white", "ohwx, a photo of b, a on white"}
    assert vary_caption("", chosen, Random(0)) == "ohwx, a photo of on white"
    assert steady_captions(["a cat"], options(wording=wording(prefix="a photo of"))) == ["a photo of a cat"]


@pytest.mark.option("WordingOptions.wildcards")
def test_one_word_of_each_wildcard_is_taken_and_doubled_brackets_stand() -> None:
    caption, chosen = "a {red|green|} {big|small} {{box}}", options(wording=wording(wildcards=True))
    seen = Counter(many(caption, chosen, 1200))
    colours, sizes = ("red", "green", ""), ("big", "small")
    assert set(seen) == {f"a {colour} {size} {{box}}" for colour in colours for size in sizes}
    assert min(seen.values()) > 140
    assert vary_caption(caption, options(), Random(0)) == caption
    assert steady_captions([caption], chosen) is None


@pytest.mark.option("WordingOptions.keep_separator")
def test_what_stands_outside_of_the_separators_stays_where_it_is() -> None:
    chosen = options(shuffle_tags=True, tag_dropout=0.5, keep_tags=3, wording=wording(keep_separator="|||"))
    seen = set(many("1girl, solo ||| a, b ||| best, end", chosen))
    middles = {"", ", a", ", b", ", a, b", ", b, a"}
    assert seen == {f"1girl, solo{middle}, best, end" for middle in middles}
    assert set(many("first ||| a, b", chosen)) == {f"first{middle}" for middle in middles}
    still = options(wording=wording(keep_separator="|||"))
    assert vary_caption("1girl ||| a, b", still, Random(0)) == "1girl, a, b"
    assert steady_captions(["1girl ||| a, b"], still) == ["1girl, a, b"]


@pytest.mark.option("WordingOptions.group_separator")
def test_grouped_tags_stay_together_and_are_parted_in_the_end() -> None:
    chosen = options(shuffle_tags=True, wording=wording(group_separator=";;;"))
    assert set(many("a;;;b, c", chosen)) == {"a, b, c", "c, a, b"}


@pytest.mark.option("WordingOptions.warmup", "WordingOptions.warmup_tags")
@pytest.mark.parametrize(("epochs_done", "shown"), [(0, 2), (0.9, 2), (1, 3), (2.5, 4), (3, 5), (7, 5)])
def test_a_warm_up_shows_more_and_more_tags(epochs_done: float, shown: int) -> None:
    chosen = options(wording=wording(warmup=3, warmup_tags=2))
    assert vary_caption(TAGS, chosen, Random(0), epochs_done) == ", ".join(TAGS.split(", ")[:shown])
    kept = options(keep_tags=1, wording=wording(warmup=3, warmup_tags=0))
    assert vary_caption(TAGS, kept, Random(0), 0) == "1girl"


@pytest.mark.option("WordingOptions.dropout_every")
def test_every_so_many_epochs_no_picture_has_a_caption() -> None:
    chosen = options(trigger="ohwx", wording=wording(dropout_every=3))
    captions = [vary_caption("a cat", chosen, Random(0), epoch + 0.5) for epoch in range(6)]
    assert captions == ["ohwx, a cat", "ohwx, a cat", "", "ohwx, a cat", "ohwx, a cat", ""]
    assert steady_captions(["a cat"], chosen) == ["ohwx, a cat", ""]


def test_one_of_a_captions_lines_is_taken_each_time() -> None:
    seen = Counter(many("a cat\na tabby\nan animal", options(trigger="ohwx")))
    assert set(seen) == {"ohwx, a cat", "ohwx, a tabby", "ohwx, an animal"}
    assert min(seen.values()) > 90
    assert set(steady_captions(["a cat\na tabby\nan animal"], options(trigger="ohwx")) or []) == set(seen)
