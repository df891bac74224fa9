import pytest

from lib_trainer.core.errors import OutputError
from lib_trainer.images.manifest import MANIFEST, Copy, name_copies, read_manifest, write_manifest


def test_what_is_written_is_read_back(tmp_path):
    copies = {"ä/a.jpg": Copy("ä/a.png", "1", "2", "recipe", "caption"), "b.png": Copy("b.png")}
    write_manifest(tmp_path, copies)
    assert read_manifest(tmp_path) == copies


def test_a_new_or_empty_folder_holds_nothing(tmp_path):
    assert read_manifest(tmp_path) == {}
    assert read_manifest(tmp_path / "missing") == {}


def test_a_folder_with_other_files_is_refused(tmp_path):
    (tmp_path / "mine.png").touch()
    with pytest.raises(OutputError, match=r"mine\.png"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"version": 2, "copies": {}}', '{"version": 1, "copies": {"a": {"x": 1}}}']
)
def test_a_damaged_record_is_refused_by_name(tmp_path, text):
    (tmp_path / MANIFEST).write_text(text, encoding="utf-8")
    with pytest.raises(OutputError, match=r"\.prepared\.json is damaged"):
        read_manifest(tmp_path)


def test_no_two_copies_share_a_stem_even_where_case_does_not_count(tmp_path):
    names = name_copies(tmp_path, ["a.jpg", "a.png", "A.png", "a-png.gif", "v1.5.jpg", "v1.6.jpg"], {}, ".png")
    assert names == {
        "a.jpg": "a.png",
        "a.png": "a-png.png",
        "A.png": "A-png-2.png",
        "a-png.gif": "a-png-gif.png",
        "v1.5.jpg": "v1.5.png",
        "v1.6.jpg": "v1.6.png",
    }


def test_a_copy_keeps_its_name_when_others_come(tmp_path):
    known = {"b/a.png": Copy("b/a.png")}
    names = name_copies(tmp_path, ["b/a.jpg", "b/a.png"], known, ".webp")
    assert names == {"b/a.jpg": "b/a-jpg.webp", "b/a.png": "b/a.webp"}


def test_files_of_others_are_never_overwritten(tmp_path):
    (tmp_path / "a.txt").touch()
    assert name_copies(tmp_path, ["a.jpg"], {}, ".png") == {"a.jpg": "a-jpg.png"}
