from __future__ import annotations

import json

import pytest

from lib_trainer.core.errors import DataError, OutputError
from lib_trainer.images.crops.drawn import CROPS_FILE, DrawnBox, read_boxes, write_boxes


def test_boxes_are_read_as_they_were_written(tmp_path):
    boxes = {"in/a.jpg": DrawnBox((200, 100), (10, 20, 110, 100)), "ü \"x\".png": DrawnBox((3, 3), (0, 0, 1, 1))}
    assert read_boxes(tmp_path) == {}
    write_boxes(tmp_path, boxes)
    assert read_boxes(tmp_path) == boxes


@pytest.mark.parametrize(
    "told",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b'{"version": 2, "pictures": {}}',
        b'{"version": 1, "pictures": {"a.jpg": {"size": [10, 10], "box": [0, 0, 11, 5]}}}',
        b'{"version": 1, "pictures": {"a.jpg": {"size": [10, 10], "box": [5, 0, 5, 5]}}}',
        b'{"version": 1, "pictures": {"a.jpg": {"size": [10, 10], "box": [-1, 0, 5, 5]}}}',
        b'{"version": 1, "pictures": {"a.jpg": {"size": [10, 10], "box": [0, 0, 5]}}}',
        b'{"version": 1, "pictures": {"a.jpg": {"size": [10, 10], "box": [0, 0, 5.5, 5]}}}',
        b'{"version": 1, "pictures": {"a.jpg": {"size": [10, 10], "box": [0, 0, NaN, 5]}}}',
        b'{"version": 1, "pictures": {"a.jpg": 3}}',
        b'{"version": 1, "pictures": []}',
    ],
)
def test_a_damaged_file_is_named_with_the_cure(tmp_path, told):
    (tmp_path / CROPS_FILE).write_bytes(told)
    with pytest.raises(DataError, match=r"\.crops\.json.*move that file away"):
        read_boxes(tmp_path)


def test_a_folder_that_can_not_be_written_is_an_output_error_and_the_old_file_stays(tmp_path, monkeypatch):
    from lib_trainer.images.crops import drawn

    write_boxes(tmp_path, {"a.jpg": DrawnBox((2, 2), (0, 0, 1, 1))})

    def full(path, text):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(drawn, "write_text", full)
    with pytest.raises(OutputError, match="No space left"):
        write_boxes(tmp_path, {})
    assert list(json.loads((tmp_path / CROPS_FILE).read_text(encoding="utf-8"))["pictures"]) == ["a.jpg"]
