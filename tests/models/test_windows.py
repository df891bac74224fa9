import json
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import ConfigError  # noqa: E402
from lib_trainer.models.clip_tokens import ClipTokens  # noqa: E402
from lib_trainer.models.mended_text import mended  # noqa: E402
from lib_trainer.models.text_options import WEBUI, TextOptions  # noqa: E402
from lib_trainer.models.windows import windows  # noqa: E402
from tests.models.prompts import PROMPTS  # noqa: E402

THEIRS = json.loads(Path(__file__).with_name("webui_prompts.json").read_text(encoding="utf-8"))
MOUNTAIN, RIVER, COMMA = 3965, 2473, 267


@pytest.fixture(scope="module")
def token_ids():
    tokens = ClipTokens()
    return lambda text: [[token] for token in tokens.ids(mended(text))]


def numbers(count, start=1000):
    """A stand-in for a text of so many tokens, each of its own."""
    return lambda text: [[start + number] for number in range(count)] if text else []


def test_there_are_forty_different_prompts():
    assert len(set(PROMPTS)) == 40
    assert [prompt for prompt, _ in THEIRS] == list(PROMPTS)


@pytest.mark.option("TextOptions.reading")
@pytest.mark.parametrize(("prompt", "theirs"), THEIRS, ids=range(len(THEIRS)))
def test_windows_and_weights_are_those_that_the_webui_makes(token_ids, prompt, theirs):
    ours = windows(prompt, WEBUI, token_ids)
    assert [list(each.ids) for each in ours] == [ids for ids, _ in theirs]
    assert [list(each.weights) for each in ours] == [pytest.approx(weights) for _, weights in theirs]


@pytest.mark.option("TextOptions.comma_backtrack")
@pytest.mark.parametrize(("backtrack", "lengths"), [(21, (55, 31)), (20, (75, 11)), (0, (75, 11))])
def test_words_behind_a_comma_that_is_near_enough_go_to_the_next_window(token_ids, backtrack, lengths):
    prompt = " ".join(["mountain"] * 54) + ", " + " ".join(["river"] * 31)
    ours = windows(prompt, replace(WEBUI, comma_backtrack=backtrack), token_ids)
    assert tuple(len(each.ids) for each in ours) == lengths


def test_brackets_are_letters_where_emphasis_is_none(token_ids):
    (ours,) = windows("(a) BREAK", replace(WEBUI, emphasis="None"), token_ids)
    assert len(ours.ids) == 4
    assert set(ours.weights) == {1}


def test_a_word_of_several_vectors_is_not_parted():
    def token_ids(text):
        return [*([number] for number in range(1, 73)), [900, 901, 902, 903], [5]]

    first, second = windows("text", WEBUI, token_ids)
    assert first.ids == tuple(range(1, 73))
    assert second.ids == (900, 901, 902, 903, 5)


def test_kohyas_reading_cuts_every_75_tokens_whatever_stands_there():
    kohya = TextOptions(reading="kohya")
    assert [each.ids for each in windows("(text)", kohya, numbers(100))] == [
        tuple(range(1000, 1075)), tuple(range(1075, 1100)), (),
    ]  # fmt: skip


@pytest.mark.option("TextOptions.kohya_length")
def test_kohyas_reading_ends_at_its_length():
    kohya = TextOptions(reading="kohya", kohya_length=150)
    assert [len(each.ids) for each in windows("text", kohya, numbers(400))] == [75, 75]
    with pytest.raises(ConfigError, match=r"'text\.kohya_length' is 100; it must be 75, 150 or 225"):
        TextOptions(kohya_length=100)
