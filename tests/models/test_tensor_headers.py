"""Headers of network files, read with nothing but Python; what a broken one says is in test_tensor_files.py."""

from __future__ import annotations

import json
import struct

import pytest

from lib_trainer.core.errors import ModelError
from lib_trainer.models.tensor_headers import Stored, metadata_of, read_header


def written(path, header, data=b""):
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path, 8 + len(text)


def test_names_shapes_places_and_texts_are_read(tmp_path):
    a = {"dtype": "F16", "shape": [2, 3], "data_offsets": [0, 12]}
    b = {"dtype": "I64", "shape": [], "data_offsets": [12, 20]}
    path, start = written(tmp_path / "a.safetensors", {"__metadata__": {"ss_epoch": "4"}, "a": a, "b": b}, bytes(20))
    header = read_header(path)
    assert header.stored == {"a": Stored("F16", (2, 3), start, 12), "b": Stored("I64", (), start + 12, 8)}
    assert header.metadata == metadata_of(path) == {"ss_epoch": "4"}


def test_metadata_that_is_no_table_is_refused(tmp_path):
    path, _ = written(tmp_path / "a.safetensors", {"__metadata__": ["x"]}, b"")
    with pytest.raises(ModelError, match="its metadata is no table of texts"):
        metadata_of(path)


def test_a_file_of_pytorchs_own_has_no_texts_and_one_of_another_kind_is_refused(tmp_path):
    assert metadata_of(tmp_path / "a.PT") == {}
    with pytest.raises(ModelError, match=r"ends in '\.gguf'"):
        metadata_of(tmp_path / "a.gguf")
