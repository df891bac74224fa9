"""Every rule against a table of cases: what goes in, what comes out."""

from __future__ import annotations

import dataclasses

import pytest

from lib_trainer.core.errors import ConfigError
from lib_trainer.core.options import describe
from lib_trainer.images.wording.rule import About
from lib_trainer.images.wording.rules import RULES, apply, apply_all, read_rules

ABOUT = About("blue_vase-01", "10_vase", "vase, flower, sky")
# (rule, caption, what becomes of it)
CASES = [
    ({"kind": "add", "tags": ["sky"]}, "cat, dog", "cat, dog, sky"),
    ({"kind": "add", "tags": ["Cat", "red hair"]}, "cat, red_hair", "cat, red_hair"),
    ({"kind": "add", "tags": ["a, b"], "where": "start"}, "cat", "a, b, cat"),
    ({"kind": "add", "tags": ["new"], "where": "after the first"}, "sks, cat", "sks, new, cat"),
    ({"kind": "remove", "tags": ["Red Hair"]}, "cat, red_hair, dog", "cat, dog"),
    ({"kind": "remove", "tags": ["* hair"]}, "red hair, hair, long red hair, cat", "hair, cat"),
    ({"kind": "remove", "tags": ["cat"]}, "cats,catfish ,dog", "cats,catfish ,dog"),
    ({"kind": "keep", "tags": ["cat", "*eyes"]}, "cat, dog, blue eyes", "cat, blue eyes"),
    ({"kind": "replace", "pairs": ["cat => dog"]}, "Cat, catfish", "dog, catfish"),
    ({"kind": "replace", "pairs": ["cat =>"]}, "a, cat, b", "a, b"),
    ({"kind": "replace", "pairs": ["* hair => hair"]}, "red hair, cat", "hair, cat"),
    ({"kind": "replace", "pairs": ["cat => dog, pet"]}, "cat", "dog, pet"),
    ({"kind": "replace", "pairs": ["cat => dog"], "within": "words"}, "a cat on a catwalk", "a dog on a catwalk"),
    ({"kind": "replace", "pairs": ["very =>"], "within": "words"}, "a very red, very, hat", "a red,, hat"),
    ({"kind": "replace", "pairs": ["at => oo"], "within": "text"}, "a cat on a mat", "a coo on a moo"),
    ({"kind": "replace", "pairs": ["Cat => dog"], "match_case": True}, "cat, Cat", "cat, dog"),
    ({"kind": "replace", "pairs": ["c => d", "a => b", "b => c"]}, "a", "c"),
    ({"kind": "replace", "pairs": ["c => d", "a => b", "b => c"], "until_stable": True}, "a", "d"),
    ({"kind": "replace", "pairs": ["aa => a"], "within": "text", "until_stable": True}, "aaaaaaa", "a"),
    ({"kind": "pattern", "pattern": r"(\w+) hair", "into": r"hair of \1"}, "red hair, cat", "hair of red, cat"),
    ({"kind": "pattern", "pattern": "^.* sky$", "into": "sky", "within": "tags"}, "cat, blue sky", "cat, sky"),
    ({"kind": "pattern", "pattern": "cat", "into": "", "within": "tags"}, "a, cat, b", "a, b"),
    ({"kind": "pattern", "pattern": "CAT", "into": "dog", "match_case": False}, "Cat", "dog"),
    ({"kind": "trigger", "word": "sks dog"}, "dog, grass", "sks dog, dog, grass"),
    ({"kind": "trigger", "word": "sks"}, "grass, SKS, dog", "sks, grass, dog"),
    ({"kind": "trigger", "word": "sks"}, "sks dog on grass", "sks dog on grass"),
    ({"kind": "trigger", "word": "sks"}, "a photo of sks dog", "sks, a photo of sks dog"),
    ({"kind": "trigger", "word": "sks", "unless_there": True}, "a photo of sks dog", "a photo of sks dog"),
    ({"kind": "prefix", "text": "photo of "}, "a cat", "photo of a cat"),
    ({"kind": "prefix", "text": "photo of "}, "photo of a cat", "photo of a cat"),
    ({"kind": "suffix", "text": ", by night"}, "a cat", "a cat, by night"),
    ({"kind": "template", "template": "sks, {first}: {rest} ({name}/{folder})"}, "a, b, c",
     "sks, a: b, c (blue vase-01/10 vase)"),
    ({"kind": "template", "template": "sks, {caption}, {{x}}"}, "", "sks, {x}"),
    ({"kind": "template", "template": "{other}"}, "a", "vase, flower, sky"),
    ({"kind": "merge"}, "a vase on a table.", "a vase on a table, vase, flower, sky"),
    ({"kind": "merge", "order": "other first"}, "Sky, a table", "vase, flower, sky, a table"),
    ({"kind": "merge"}, "", "vase, flower, sky"),
    ({"kind": "sort"}, "dog, Cat, ape", "ape, Cat, dog"),
    ({"kind": "sort", "by": "length", "backwards": True}, "a, ccc, bb", "ccc, bb, a"),
    ({"kind": "sort", "keep_first": 1}, "sks, dog, ape", "sks, ape, dog"),
    ({"kind": "order", "first": ["sks", "*girl"], "last": ["sky"]}, "sky, a, 1girl, b, sks", "sks, 1girl, a, b, sky"),
    ({"kind": "dedupe"}, "cat, red_hair, Cat, red hair", "cat, red_hair"),
    ({"kind": "limit", "count": 2}, "a, b, c", "a, b"),
    ({"kind": "underscores"}, "red_hair, ^_^, o_o, >_<, long__tail_", "red hair, ^_^, o_o, >_<, long tail"),
    ({"kind": "ratings"}, "cat, rating:safe, rating_e, general, Explicit", "cat"),
    ({"kind": "ratings", "words": False}, "cat, rating:safe, general", "cat, general"),
    ({"kind": "ratings", "quality": True}, "masterpiece, best_quality, score_8_up, cat", "cat"),
    ({"kind": "synonyms"}, "gray_hair, tee, cat", "grey hair, t-shirt, cat"),
    ({"kind": "synonyms", "groups": ["cat, kitty, feline"]}, "Kitty, cat, dog", "cat, dog"),
    ({"kind": "generic"}, "shirt, white shirt, hirt", "white shirt, hirt"),
    ({"kind": "generic"}, "hair, long_hair, very long hair", "very long hair"),
    ({"kind": "generic", "except_for": ["shirt"]}, "shirt, white shirt, sky, blue sky", "shirt, white shirt, blue sky"),
    ({"kind": "number"}, "cat, cats, dog", "cats, dog"),
    ({"kind": "number"}, "knife, knives, glass, glasses, 1girl, 2girls", "knives, glass, glasses, 1girl, 2girls"),
    ({"kind": "number", "to": "always one"}, "red flowers, berries, boxes, glasses, bus, 2girls, feet",
     "red flower, berry, box, glasses, bus, 2girls, foot"),
    ({"kind": "number", "to": "always one", "except_for": ["birds"]}, "birds, trees", "birds, tree"),
    ({"kind": "several"}, "1girl, red hair, blue hair", "1girl, red hair, blue hair"),
    ({"kind": "several"}, "2girls, red_hair, blue hair, long hair, blue eyes, ponytail, smile",
     "2girls, long hair, blue eyes, ponytail, smile"),
    ({"kind": "several"}, "1girl, 1boy, blue eyes, green eyes, long sleeves", "1girl, 1boy, long sleeves"),
    ({"kind": "several", "drop": "all"}, "multiple girls, long hair, braid, hat, dark skin", "multiple girls, hat"),
    ({"kind": "several", "keep": ["red hair"]}, "2boys, red hair, blue hair, black hair", "2boys, red hair"),
    ({"kind": "fit", "tokens": 5}, "a cat, a dog, a bird", "a cat, a dog"),
    ({"kind": "fit", "tokens": 2}, "a long sentence without commas", "a long sentence without commas"),
    ({"kind": "case"}, "A Cat", "a cat"),
    ({"kind": "case", "to": "first capital"}, "a Cat", "A Cat"),
    ({"kind": "brackets"}, r"fate \(series\)", "fate (series)"),
    ({"kind": "brackets", "to": "escaped"}, r"fate (series), a \(b\)", r"fate \(series\), a \(b\)"),
    ({"kind": "tidy"}, " cat ,,  red\x00 \n hair,. ", "cat, red hair"),
    ({"kind": "tidy", "full_stop": False}, "A cat.", "A cat."),
    ({"kind": "tidy"}, "a cat ...", "a cat ..."),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "caption", "expected"), CASES)
def test_a_rule_makes_of_a_caption_what_the_table_says(rule, caption, expected):
    assert apply([rule], caption, ABOUT) == expected


@pytest.mark.parametrize(("rule", "caption", "expected"), CASES)
def test_a_rule_that_was_applied_changes_nothing_the_second_time(rule, caption, expected):
    again = {"template", "brackets"}  # a template is written around each time; what is escaped was plain before
    grows = rule["kind"] in again or rule.get("pairs") in (["at => oo"], ["c => d", "a => b", "b => c"])
    if not grows and rule != {"kind": "pattern", "pattern": r"(\w+) hair", "into": r"hair of \1"}:
        assert apply([rule], expected, ABOUT) == expected


def test_the_table_has_more_than_sixty_cases_and_every_rule_and_option():
    assert len(CASES) >= 60
    told = {(case["kind"], name) for case, _, _ in CASES for name in case}
    options = {(kind, info.name) for kind, cls in RULES.items() for info in describe(cls)}
    assert options <= told
    assert {kind for kind, _ in told} == set(RULES)


@pytest.mark.parametrize("kind", RULES)
def test_a_rule_is_a_dataclass_that_says_what_it_does(kind):
    assert dataclasses.is_dataclass(RULES[kind])
    assert (RULES[kind].__doc__ or "").splitlines()[0].endswith(".")
    assert all(len(info.help) > 8 for info in describe(RULES[kind]))


@pytest.mark.parametrize("kind", sorted(set(RULES) - {"prefix", "suffix", "template", "trigger", "add", "case", "merge",
                                                     "sort", "tidy"}))  # fmt: skip
@pytest.mark.parametrize("caption", ["Cat,dog ,  Red", "", ",,", "é ß 日本,cat"])
def test_a_caption_that_a_rule_finds_nothing_in_keeps_its_spelling(kind, caption):
    needed = {"remove": {"tags": ["x"]}, "keep": {"tags": ["*"]}, "replace": {"pairs": ["x => y"]},
              "pattern": {"pattern": "x"}, "limit": {"count": 9}}.get(kind, {})  # fmt: skip
    assert apply([{"kind": kind, **needed}], caption) == caption


def test_rules_are_applied_in_their_order_and_know_all_captions():
    rules = read_rules([{"kind": "replace", "pairs": ["a => c"]}, {"kind": "sort", "by": "often"}])
    assert apply_all(rules, ["b, a", "c", "d, c"]) == ["c, b", "c", "c, d"]


def test_replacements_that_never_end_are_named():
    pairs = ["a => c", "b => a", "c => b"]  # makes b of a, and a of b
    with pytest.raises(ConfigError, match="a => c; b => a; c => b goes round and round"):
        apply([{"kind": "replace", "pairs": pairs, "until_stable": True}], "a")


def test_a_replacement_that_grows_without_end_is_stopped():
    with pytest.raises(ConfigError, match="never ends"):
        apply([{"kind": "replace", "pairs": ["a => aaaaaaaaaa"], "until_stable": True, "within": "text"}], "a")


@pytest.mark.parametrize(("rules", "said"), [
    ({"kind": "add"}, "must be a list of tables"),
    ([{"kind": "ad", "tags": []}], "Did you mean 'add'"),
    ([{"kind": "dedupe"}, {"kind": "limit"}], "'rules.2.count' is not given"),
    ([{"kind": "limit", "count": 0}], "'rules.1.count' is 0; it must be at least 1"),
    ([{"kind": "limit", "count": 2, "more": 1}], "Unknown option 'rules.1.more'"),
    ([{"kind": "replace", "pairs": ["cat"]}], "'pairs' has 'cat'; write 'this => that'"),
    ([{"kind": "template", "template": "{captoin}"}], "'template' has {captoin}, which stands for nothing"),
    ([{"kind": "pattern", "pattern": "("}], "can't be used: missing \\)"),
    ([{"kind": "pattern", "pattern": "a", "into": "\\2"}], "invalid group reference 2"),
    ([{"kind": "pattern", "pattern": "a" * 1001}], "at most 1000 are possible"),
    ([{"kind": "pattern", "pattern": "", "into": "x" * 15_000}], "it makes a text of"),
])  # fmt: skip
def test_what_is_no_rule_is_said_with_its_number_and_cure(rules, said):
    with pytest.raises(ConfigError, match=said):
        apply(rules, "a cat")


def test_a_pattern_that_never_ends_is_stopped(monkeypatch):
    monkeypatch.setattr("lib_trainer.images.wording.patterns.MOST_SECONDS", 0.5)
    with pytest.raises(ConfigError, match="was stopped after"):
        apply([{"kind": "pattern", "pattern": "(a|a)*$", "into": ""}], "a" * 60 + "!")


def test_names_with_many_stars_are_quick():
    assert apply([{"kind": "remove", "tags": ["*a" * 500 + "b"]}], "a" * 15_000) == "a" * 15_000
