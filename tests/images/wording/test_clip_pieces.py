"""Tokens counted in Python's own library are as many as the engine's tokenizer makes."""

from __future__ import annotations

import random

import pytest

from lib_trainer.images.wording.clip_pieces import ClipPieces, words_of

ODD = [
    "", "   ", "a photo of a cat", "don't they're I'M it's 'S", "1girl, solo, ^_^, :3, >_<", "100% 3.5mm f/2.8",
    "naïve café “quoted” — dash…", "l’été", "日本語 テキスト", "हिन्दी भाषा", "مرحبا بالعالم", "emoji 😀😃 👨‍👩‍👧",
    "ﬁne ﬂag Ｗｉｄｅ　ｘ", "a&amp;b <b> &amp;", "a &lt b &copy; c", "<|endoftext|> x <|startoftext|>", "\t a\n b\r\nc",
    "²½Ⅷ x² ①", "Straße ẞ İstanbul ǅ", "'s''s'tx'tt", "a_b __ -- _", "x" * 300, "\x00\x01 a\x7f", "e\u0301 é",
    "a\u200bb \ufeffc", "a\u00a0b\u2003c", "ﷺ ٣ ߁", "\U0001f1e9\U0001f1ea", "a" + "\u0300" * 5,
]  # fmt: skip


def made_up(count):
    """Texts of chance: words that CLIP knows, and letters of many kinds."""
    lots, words = random.Random(1), sorted(word for word in ClipPieces().ranks_of_words if word.isascii())
    letters = "abcdefghijklmnopqrstuvwxyz     ,,.'-_():!?0123456789ABCÉéüß“—日本語あい😀&;<>|я"
    for _ in range(count):
        yield " ".join(lots.choice(words) for _ in range(lots.randint(1, 40)))
        yield "".join(lots.choice(letters) for _ in range(lots.randint(1, 60)))


@pytest.mark.engine
def test_there_are_as_many_tokens_as_the_engines_tokenizer_makes():
    from lib_trainer.models.clip_tokens import ClipTokens
    from lib_trainer.models.mended_text import mended

    pieces, tokens = ClipPieces(), ClipTokens()
    texts = [*ODD, *made_up(1000)]
    assert [text for text in texts if pieces.count(text) != len(tokens.ids(mended(text)))] == []


@pytest.mark.parametrize(("text", "count"), [("", 0), ("a photo of a cat", 5), ("cat, dog", 3), ("2024", 4),
                                             ("supercalifragilistic", 5)])  # fmt: skip
def test_counts_that_are_known(text, count):
    assert ClipPieces().count(text) == count


def test_a_text_falls_into_words_numerals_and_signs():
    assert words_of("It's 35mm, (really)! Ünder") == ["it", "'s", "3", "5", "mm", ",", "(", "really", ")!", "ünder"]


def test_words_that_clip_knows_as_a_whole_and_which_are_more_frequent():
    ranks = ClipPieces().ranks_of_words
    assert "floower" not in ranks
    assert ranks["the"] < ranks["flower"] < ranks["photograph"]
