import json
import unicodedata

import pytest

from lib_trainer.images.metadata import picture_key, read_metadata


def metadata(folder, *lines, pictures=("a.png", "b.png")):
    for name in pictures:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    file = folder / "metadata.jsonl"
    file.write_bytes("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines).encode())
    return file, *read_metadata(file)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ('{"file_name": "b.png", "text": ', "JSON"),
        ('["b.png", "text"]', "table"),
        ({"text": "lost"}, "file_name"),
        ({"file_name": "b.png", "caption": "lost"}, "'text'"),
        ({"file_name": "b.png", "text": ""}, "'text'"),
        ({"file_name": "b.png", "text": 7}, "'text'"),
        ({"file_name": "missing.png", "text": "c"}, "missing.png"),
        ({"file_name": "a.png", "text": "a fox"}, "earlier line"),
    ],
)
def test_a_bad_line_is_reported_with_file_and_number_and_the_others_are_used(tmp_path, line, named):
    file, captions, notices = metadata(tmp_path, {"file_name": "a.png", "text": "a fox"}, "", line)
    assert captions[picture_key(tmp_path / "a.png")] == "a fox"
    assert picture_key(tmp_path / "b.png") not in captions
    assert len(notices) == 1
    assert str(file) in notices[0]
    assert "line 3" in notices[0]
    assert named in notices[0]


def test_many_equal_mistakes_are_one_notice(tmp_path):
    _, captions, notices = metadata(tmp_path, *[{"file_name": "a.png", "label": "x"}] * 5000)
    assert captions == {}
    assert len(notices) == 1
    assert "4990 more" in notices[0]


def test_sub_paths_may_be_written_as_on_windows(tmp_path):
    _, captions, notices = metadata(tmp_path, {"file_name": ".\\sub\\a.png", "text": "t"}, pictures=["sub/a.png"])
    assert captions == {picture_key(tmp_path / "sub" / "a.png"): "t"}
    assert notices == []


def test_accents_match_however_the_file_system_spells_them():
    composed = unicodedata.normalize("NFC", "é.png")
    apart = unicodedata.normalize("NFD", "é.png")
    assert composed != apart
    assert picture_key(composed) == picture_key(apart)


def test_a_line_separator_inside_a_caption_does_not_end_the_line(tmp_path):
    line = json.dumps({"file_name": "a.png", "text": "red\u2028fox"}, ensure_ascii=False)
    assert metadata(tmp_path, line)[1] == {picture_key(tmp_path / "a.png"): "red\u2028fox"}


def test_windows_line_ends_are_read(tmp_path):
    file = tmp_path / "metadata.jsonl"
    (tmp_path / "a.png").touch()
    file.write_bytes(b'\xef\xbb\xbf{"file_name": "a.png", "text": "t"}\r\n\r\n')
    assert read_metadata(file) == ({picture_key(tmp_path / "a.png"): "t"}, [])


def test_another_encoding_is_reported(tmp_path):
    file = tmp_path / "metadata.jsonl"
    (tmp_path / "a.png").touch()
    file.write_bytes('{"file_name": "a.png", "text": "größe"}'.encode("cp1252"))
    captions, notices = read_metadata(file)
    assert list(captions.values()) == ["größe"]
    assert notices == [f"{file} is not UTF-8 and was read as cp1252; save it as UTF-8."]
