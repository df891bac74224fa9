"""Changes of caption files: noted before they are made, taken back in order, never over what another program wrote."""

from __future__ import annotations

import json

import pytest

from lib_trainer.core.errors import OutputError
from lib_trainer.images.caption_history import CaptionHistory, Change


@pytest.fixture
def history(tmp_path):
    return CaptionHistory(tmp_path / "data", tmp_path / "cats")


@pytest.fixture
def file(tmp_path):
    """`file("a", b"old")`: a caption file that holds this."""

    def made(name, held=None):
        path = tmp_path / "cats" / f"{name}.txt"
        path.parent.mkdir(exist_ok=True)
        if held is not None:
            path.write_bytes(held)
        return path

    return made


def write(history, title, *changes):
    return history.write(title, [Change(path, before, after) for path, before, after in changes])


def test_acts_are_taken_back_and_done_again_in_their_order(history, file):
    a, b = file("a", b"one"), file("b")
    write(history, "first", (a, b"one", b"two"), (b, None, b"new"))
    write(history, "second", (a, b"two", b"three"))
    assert (a.read_bytes(), history.titles()) == (b"three", ("second", ""))
    assert history.undo().title == "second" and history.undo().title == "first"
    assert (a.read_bytes(), b.exists(), history.titles()) == (b"one", False, ("", "first"))
    assert history.undo() is None
    assert history.redo().title == "first" and history.redo().title == "second" and history.redo() is None
    assert (a.read_bytes(), b.read_bytes()) == (b"three", b"new")


def test_another_history_of_the_same_folder_goes_on_with_it(history, file, tmp_path):
    a = file("a", b"one")
    write(history, "first", (a, b"one", b"two"))
    assert CaptionHistory(tmp_path / "data", tmp_path / "cats").undo().done == [a]
    assert CaptionHistory(tmp_path / "data", tmp_path / "dogs").titles() == ("", "")


def test_a_file_that_holds_something_else_by_now_is_left_in_every_direction(history, file):
    a, b = file("a", b"other"), file("b", b"one")
    outcome = write(history, "first", (a, b"one", b"two"), (b, b"one", b"two"))
    assert (outcome.done, list(outcome.left), a.read_bytes()) == ([b], [a], b"other")
    b.write_bytes(b"by hand")
    assert list(history.undo().left) == [b]
    assert b.read_bytes() == b"by hand"


def test_an_act_that_changed_nothing_is_not_taken_back(history, file):
    write(history, "first", (file("a", b"other"), b"one", b"two"))
    assert history.titles() == ("", "") and history.undo() is None


def test_a_process_that_was_killed_while_it_wrote_left_all_to_take_back(history, file):
    a, b = file("a", b"one"), file("b", b"one")
    write(history, "first", (a, b"one", b"two"), (b, b"one", b"two"))
    b.write_bytes(b"one")  # as if it had not come so far
    outcome = history.undo()
    assert (sorted(outcome.done), outcome.left) == ([a, b], {})
    assert (a.read_bytes(), b.read_bytes()) == (b"one", b"one")


def test_one_file_goes_back_by_itself_and_the_rest_of_its_act_stays(history, file):
    a, b = file("a", b"one"), file("b", b"one")
    write(history, "first", (a, b"one", b"two"), (b, b"one", b"two"))
    assert history.undo_file([a]).done == [a]
    assert (a.read_bytes(), b.read_bytes()) == (b"one", b"two")
    assert history.undo_file([a]) is None
    assert history.undo().done == [b]


def test_any_bytes_come_back_as_they_were(history, file):
    odd = bytes(range(256))
    a = file("a", odd)
    write(history, "first", (a, odd, b"plain"))
    history.undo()
    assert a.read_bytes() == odd


def test_a_file_that_can_not_be_written_is_named_and_the_others_are_written(history, file):
    a, b = file("a"), file("b", b"one")
    a.mkdir()
    outcome = write(history, "first", (a, None, b"two"), (b, b"one", b"two"))
    assert (outcome.done, list(outcome.left)) == ([b], [a])
    assert "can't be written" in outcome.left[a] or "directory" in outcome.left[a]


def test_without_room_for_its_notes_no_caption_is_touched(history, file):
    a = file("a", b"one")
    history.folder.parent.mkdir(parents=True)
    history.folder.write_text("in the way", encoding="utf-8")
    with pytest.raises(OutputError, match="can't be kept"):
        write(history, "first", (a, b"one", b"two"))
    assert a.read_bytes() == b"one"


def test_notes_that_can_not_be_read_are_a_sentence(history, file):
    a = file("a", b"one")
    write(history, "first", (a, b"one", b"two"))
    (note,) = history.folder.glob("*-done.json")
    note.write_text(json.dumps({"title": "x"}) + "\n{broken", encoding="utf-8")
    with pytest.raises(OutputError, match="can't be kept"):
        history.undo()
    assert a.read_bytes() == b"two"
