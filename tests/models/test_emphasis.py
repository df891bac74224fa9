import pytest

from lib_trainer.core.errors import ConfigError
from lib_trainer.models.emphasis import weighted_pieces


def pieces(prompt):
    return [(piece.text, pytest.approx(piece.weight)) for piece in weighted_pieces(prompt)]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("normal text", [("normal text", 1)]),
        ("", [("", 1)]),
        ("an (important) word", [("an ", 1), ("important", 1.1), (" word", 1)]),
        ("((very)) [[little]]", [("very", 1.21), (" ", 1), ("little", 1 / 1.21)]),
        ("(told:1.5) and (less : 0.25 )", [("told", 1.5), (" and ", 1), ("less ", 0.25)]),
        ("(house [on] a (hill:0.5))", [("house ", 1.1), ("on", 1), (" a ", 1.1), ("hill", 0.55)]),
        ("(one)(two)", [("onetwo", 1.1)]),
        ("(unbalanced", [("unbalanced", 1.1)]),
        ("too ) many ]", [("too ) many ]", 1)]),
        (r"\(as\) \[it\] st\ands", [("(as) [it] stands", 1)]),
        ("12:30 [a:b]", [("12:30 ", 1), ("a:b", 1 / 1.1)]),
    ],
)
def test_brackets_weigh_as_in_the_webui(prompt, expected):
    assert pieces(prompt) == expected


def test_break_is_told_from_the_word_inside_brackets():
    first, cut, last = weighted_pieces("a cat  BREAK\n a dog")
    assert (first.text, cut.is_break, last.text) == ("a cat", True, "a dog")
    assert not any(piece.is_break for piece in weighted_pieces("(a BREAK b) BREAKING"))


def test_a_number_that_is_none_is_named_with_the_cure():
    with pytest.raises(ConfigError, match=r"'1\.2\.3' in 'a \(cat:1\.2\.3\)' is no number; write \(words:1\.2\)"):
        weighted_pieces("a (cat:1.2.3)")
