"""Labels fit their width, and a font is chosen that has their letters."""

from __future__ import annotations

import pytest

pytest.importorskip("PIL")
pytestmark = pytest.mark.engine

from PIL import ImageFont  # noqa: E402

from lib_trainer.comparison import labels  # noqa: E402
from lib_trainer.comparison.labels import choose_font, text_width, wrap  # noqa: E402


@pytest.fixture
def font():
    return ImageFont.load_default(14)


@pytest.mark.parametrize("width", [20, 64, 112, 300])
@pytest.mark.parametrize("text", ["a noto emoji of a red apple", "one_long_file_name_without_any_space-e001", "a\nb c"])
def test_no_line_is_wider_than_asked_and_no_word_is_lost(font, text, width):
    lines = wrap(text, font, width, 100)
    assert all(text_width(font, line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == "".join(text.split())


def test_words_stay_whole_where_there_is_room(font):
    assert wrap("red apple pie", font, text_width(font, "red apple"), 9) == ["red apple", "pie"]


def test_what_is_too_much_ends_in_an_ellipsis_that_fits(font):
    width = text_width(font, "red apple")
    lines = wrap("red apple pie with cream and sugar", font, width, 2)
    assert len(lines) == 2
    assert lines[0] == "red apple"
    assert lines[1].startswith("pie")
    assert lines[1].endswith("...")
    assert text_width(font, lines[1]) <= width


def test_plain_letters_are_drawn_with_the_font_that_pillow_ships():
    font, known = choose_font(["a noto emoji, CFG 4", "DPM++ 2M"], 14)
    assert known
    assert font.getname() == ImageFont.load_default(14).getname()


def test_letters_that_no_font_has_are_told(monkeypatch):
    monkeypatch.setattr(labels, "SYSTEM_FONTS", ("no-such-font.ttf",))
    font, known = choose_font(["\u6f22"], 14)
    assert not known
    assert font.getname() == ImageFont.load_default(14).getname()


def test_a_system_font_is_taken_for_letters_that_pillows_lacks():
    try:
        ImageFont.truetype("DejaVuSans.ttf", 14)
    except OSError:
        pytest.skip("DejaVu Sans is not installed here")
    font, known = choose_font(["Gr\u00f6\u00dfe"], 14)
    assert known
    assert font.getname()[0] == "DejaVu Sans"
