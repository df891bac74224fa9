import pytest

from lib_trainer.images.promptlog.days import day_of
from lib_trainer.images.promptlog.messages import Message, caption_of, flags_text, split_parameters, wanted_flag
from lib_trainer.images.promptlog.options import LogCaptions


@pytest.mark.parametrize(("content", "prompt", "is_chosen"), [
    ("**a cat --v 5** - <@1> (fast)", "a cat --v 5", False),
    ("**a cat** - Upscaled by <@1> (fast)", "a cat", True),
    ("**a cat** - Upscaled (2x) by <@1>", "a cat", True),
    ("**a cat** - Image #3 <@1>", "a cat", True),
    ("**a cat** - Variations (Strong) by <@1>", "a cat", False),
    ("**a cat** - Upscaling image #1 with <@1>", "a cat", False),
    ("**Upscaled by nobody** - <@1>", "Upscaled by nobody", False),
    ("**a **big** cat** - Image #1", "a **big** cat", True),
    ("hello", "", False),
    ("**only one end", "", False),
    ("****", "", False),
])  # fmt: skip
def test_the_prompt_and_what_stands_behind_it_are_told_apart(content, prompt, is_chosen):
    assert Message.of(content, between_stars=True) == Message(prompt, is_chosen)


@pytest.mark.parametrize(("prompt", "words", "parameters"), [
    ("a cat", "a cat", []),
    ("a cat --v 5", "a cat", [("v", "5")]),
    ("a cat --version 5.2 --aspect 16:9", "a cat", [("v", "5.2"), ("ar", "16:9")]),
    ("a cat --tile --style raw", "a cat", [("tile", ""), ("style", "raw")]),
    ("a cat --no cars, people --v 4", "a cat", [("no", "cars, people"), ("v", "4")]),
    ("a cat --ar=3:2, --niji 5", "a cat", [("ar", "3:2"), ("niji", "5")]),
    ("a cat --niji --q 2", "a cat", [("niji", ""), ("q", "2")]),
    ("a cat —v 5", "a cat", [("v", "5")]),
    ("a cat — sitting —alone", "a cat — sitting —alone", []),
    ("--v 5 a cat", "a cat", [("v", "5")]),
    ("a cat --v 5 on a mat", "a cat on a mat", [("v", "5")]),
    ("a well--known cat", "a well--known cat", []),
    ("a cat --v", "a cat", [("v", "")]),
])  # fmt: skip
def test_parameters_are_split_from_the_words(prompt, words, parameters):
    assert (split_parameters(prompt)[0].strip(), split_parameters(prompt)[1]) == (words, parameters)


@pytest.mark.parametrize(("flag", "prompt", "fits"), [
    ("v 5", "a --v 5", True),
    ("--v 5", "a --version 5 --tile", True),
    ("v 5", "a --v 5.2", False),
    ("v 5", "a --niji 5", False),
    ("style raw", "a --style raw --v 5", True),
    ("tile", "a --tile --v 5", True),
    ("v", "a --v 4", True),
    ("ar=16:9", "a --ar 16:9", True),
    ("tile", "a", False),
])  # fmt: skip
def test_a_flag_is_found_by_its_whole_name_and_value(flag, prompt, fits):
    assert (wanted_flag(flag) in flags_text(split_parameters(prompt)[1])) is fits


@pytest.mark.parametrize(("prompt", "caption"), [
    ("a  cat ,\n sitting --v 5", "a cat, sitting"),
    ("<@123> a cat <#9> <:smile:5>", "a cat"),
    ("a cat like <https://s.mj.run/abc> this", "a cat like this"),
    ("hot::2 dog:: sun::-0.5", "hot dog sun"),
    ("a **big** `cat`", "a big cat"),
    ("ann@example is a cat", "ann@example is a cat"),
    ("a cat, @ann#1234", "a cat"),
    ("10:30 o'clock, a 16:9 screen", "10:30 o'clock, a 16:9 screen"),
])  # fmt: skip
def test_a_caption_holds_the_words_only(prompt, caption):
    assert caption_of(prompt, LogCaptions()) == caption


@pytest.mark.parametrize(("text", "day"), [
    ("2023-05-14T12:34:56.7890000+00:00", "2023-05-14"),
    ("14-May-23 12:34 PM", "2023-05-14"),
    ("05/14/2023 12:34 PM", "2023-05-14"),
    ("14/05/2023 12:34", "2023-05-14"),
    ("14.05.2023 12:34", "2023-05-14"),
    ("2023-02-31", ""),
    ("yesterday", ""),
])  # fmt: skip
def test_days_are_read_as_exporters_write_them(text, day):
    assert day_of(text) == day
