import json

import pytest

from lib_trainer.core.errors import ConfigError
from lib_trainer.images.captions import Caption, read_captions
from lib_trainer.images.options import CaptionOptions


def captions(folder, *names, **options):
    return read_captions(folder, [folder / name for name in names], CaptionOptions(**options))


def write(path, text, encoding="utf-8"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.option("CaptionOptions.source")
def test_sources_are_tried_in_their_order(tmp_path):
    names = [f"10_folder words/{name}.png" for name in ("a", "b", "c", "d")] + ["e.png"]
    here = tmp_path / "10_folder words"
    write(here / "a.txt", "from txt")
    for name in ("a", "b"):
        write(here / f"{name}.caption", "from txt" if name == "a" else "from caption")
    rows = [{"file_name": f"{name}.png", "text": f"row {name}"} for name in ("a", "b", "c")]
    for row in rows:
        (here / row["file_name"]).touch()
    write(here / "metadata.jsonl", "\n".join(map(json.dumps, rows)))
    found, notices = captions(tmp_path, *names, prompt="the prompt")
    assert found == [
        Caption("from txt", ".txt"),
        Caption("from caption", ".caption"),
        Caption("row c", "metadata.jsonl"),
        Caption("folder words", "folder name"),
        Caption("the prompt", "prompt"),
    ]
    assert notices == []


@pytest.mark.option("CaptionOptions.source")
def test_the_file_name_is_the_caption_with_spaces_for_underscores(tmp_path):
    write(tmp_path / "a_red__fox.txt", "not this")
    found, _ = captions(tmp_path, "a_red__fox.png", "v1.5 look.jpg", source="file name")
    assert [caption.text for caption in found] == ["a red fox", "v1.5 look"]


@pytest.mark.option("CaptionOptions.source", "CaptionOptions.prompt")
def test_the_prompt_captions_all_pictures(tmp_path):
    write(tmp_path / "a.txt", "not this")
    found, _ = captions(tmp_path, "a.png", "b.png", source="prompt", prompt="a photo of sks dog")
    assert found == [Caption("a photo of sks dog", "prompt")] * 2


@pytest.mark.option("CaptionOptions.prompt")
def test_an_empty_prompt_for_all_pictures_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"captions\.prompt"):
        captions(tmp_path, "a.png", source="prompt")


def test_a_picture_without_any_caption_has_an_empty_one(tmp_path):
    assert captions(tmp_path, "a.png") == ([Caption("", "none")], [])


def test_a_byte_order_mark_is_no_part_of_the_caption(tmp_path):
    write(tmp_path / "a.txt", "größer", "utf-8-sig")
    assert captions(tmp_path, "a.png") == ([Caption("größer", ".txt")], [])


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_another_encoding_is_read_and_reported_with_the_file(tmp_path, encoding):
    file = write(tmp_path / "a.txt", "größer – “schön”", encoding)
    found, notices = captions(tmp_path, "a.png")
    assert found[0].text == "größer – “schön”"
    assert len(notices) == 1
    assert str(file) in notices[0]
    assert encoding in notices[0]


def test_a_file_that_is_no_text_is_reported_and_not_used(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\x81\x8d\xff")
    found, notices = captions(tmp_path, "a.png", prompt="p")
    assert found == [Caption("p", "prompt")]
    assert str(tmp_path / "a.txt") in notices[0]


def test_an_empty_caption_file_counts_as_none_and_is_reported(tmp_path):
    write(tmp_path / "a.txt", " \n")
    found, notices = captions(tmp_path, "a.png", prompt="p")
    assert found == [Caption("p", "prompt")]
    assert "a.txt is empty" in notices[0]


def test_lines_become_one_line(tmp_path):
    write(tmp_path / "a.txt", "red fox,\r\n  snow\n")
    assert captions(tmp_path, "a.png")[0][0].text == "red fox, snow"


def test_a_second_caption_file_that_differs_is_reported(tmp_path):
    write(tmp_path / "a.txt", "one")
    write(tmp_path / "a.caption", "two")
    found, notices = captions(tmp_path, "a.png")
    assert found[0].text == "one"
    assert "a.caption is not used" in notices[0]


def test_dots_in_a_name_are_kept(tmp_path):
    write(tmp_path / "v1.5.txt", "right")
    write(tmp_path / "v1.txt", "wrong")
    assert captions(tmp_path, "v1.5.png")[0][0].text == "right"


def test_metadata_of_a_folder_above_is_used_but_not_of_one_outside(tmp_path):
    folder = tmp_path / "set"
    (folder / "sub").mkdir(parents=True)
    for name in ("sub/a.png", "b.png"):
        (folder / name).touch()
    write(tmp_path / "metadata.jsonl", json.dumps({"file_name": "set/b.png", "text": "outside"}))
    write(folder / "metadata.jsonl", json.dumps({"file_name": "sub/a.png", "text": "above"}))
    found, _ = captions(folder, "sub/a.png", "b.png")
    assert [caption.text for caption in found] == ["above", ""]


def test_the_nearest_metadata_wins(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/a.png").touch()
    write(tmp_path / "metadata.jsonl", json.dumps({"file_name": "sub/a.png", "text": "far"}))
    write(tmp_path / "sub/metadata.jsonl", json.dumps({"file_name": "a.png", "text": "near"}))
    assert captions(tmp_path, "sub/a.png")[0][0].text == "near"


def test_a_caption_can_always_be_written_as_utf8(tmp_path):
    (tmp_path / "a.png").touch()
    write(tmp_path / "metadata.jsonl", '{"file_name": "a.png", "text": "fox \\ud800"}')
    assert captions(tmp_path, "a.png")[0][0].text.encode("utf-8") == b"fox ?"


@pytest.mark.option("CaptionOptions.lines")
@pytest.mark.parametrize(
    ("lines", "expected"), [("joined", "a cat a tabby cat"), ("first", "a cat"), ("any", "a cat\na tabby cat")]
)
def test_several_lines_are_joined_or_the_first_or_all_of_them_are_kept(tmp_path, lines, expected):
    write(tmp_path / "a.txt", "\n a  cat \r\n\n a tabby cat\n")
    write(tmp_path / "metadata.jsonl", json.dumps({"file_name": "b.png", "text": "a  cat\na tabby cat"}))
    (tmp_path / "b.png").touch()
    assert [found.text for found in captions(tmp_path, "a.png", "b.png", lines=lines)[0]] == [expected] * 2


def test_a_name_so_long_that_a_caption_file_could_not_have_it_is_no_trouble(tmp_path):
    picture = tmp_path / ("x" * 250 + ".jpg")
    captions, notices = read_captions(tmp_path, [picture], CaptionOptions())
    assert ([each.source for each in captions], notices) == (["none"], [])


def test_nul_characters_are_left_out_and_reported(tmp_path):
    write(tmp_path / "a.txt", "a\0 fox")
    found, notices = captions(tmp_path, "a.png")
    assert found == [Caption("a fox", ".txt")]
    assert "a.txt has NUL" in notices[0]
