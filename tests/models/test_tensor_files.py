import json
import struct
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import ModelError  # noqa: E402
from lib_trainer.models.tensor_files import SafetensorsFile, open_tensors  # noqa: E402


@pytest.fixture
def tensors():
    return {
        "half": torch.randn(3, 4).half(),
        "brain": torch.randn(2, 2, 2).bfloat16(),
        "single": torch.randn(5),
        "double": torch.randn(1).double(),
        "whole": torch.arange(6).reshape(1, 6),
        "flags": torch.tensor([True, False, True]),
        "scalar": torch.tensor(3.5),
        "empty": torch.empty(0, 4),
    }


@pytest.fixture
def file(tmp_path, tensors):
    from safetensors.torch import save_file

    save_file(tensors, tmp_path / "model.safetensors", metadata={"modelspec.title": "A model"})
    return tmp_path / "model.safetensors"


def written(path, header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def test_what_the_reference_library_writes_is_read_with_equal_names_shapes_dtypes_and_values(file, tensors):
    read = open_tensors(file)
    assert read.shapes == {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    assert read.metadata == {"modelspec.title": "A model"}
    for name, tensor in tensors.items():
        assert read.dtype(name) == read.read(name).dtype == tensor.dtype
        assert torch.equal(read.read(name), tensor)


def test_an_opened_file_can_be_replaced_and_is_then_refused_instead_of_read(file):
    read = open_tensors(file)
    read.read("single")
    new = file.with_name("new.safetensors")
    new.write_bytes(file.read_bytes() + b"more")
    new.replace(file)
    with pytest.raises(ModelError, match=r"model\.safetensors was changed while it was in use"):
        read.read("single")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_files_are_not_mapped_into_memory(file):
    read = open_tensors(file)
    kept = [read.read(name) for name in read.shapes]
    assert kept and str(file) not in Path("/proc/self/maps").read_text(encoding="utf-8")


def test_a_cut_off_file_is_refused_with_the_sizes_expected_and_found(file):
    whole = file.read_bytes()
    file.write_bytes(whole[:-7])
    with pytest.raises(ModelError, match=rf"cut off.*\({len(whole)} bytes\).*\({len(whole) - 7} bytes\).*[Dd]ownload"):
        open_tensors(file)


def test_a_file_cut_off_in_its_header_is_refused(file):
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(ModelError, match="cut off: its header alone needs"):
        open_tensors(file)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "holds only 0 bytes"),
        (b"\xff" * 200, "first 8 bytes give no header length"),
        (struct.pack("<Q", 4) + b"nope" + b"\0" * 20, "its header is not JSON"),
        (struct.pack("<Q", 2) + b"[]" + b"\0" * 20, "its header is no table"),
    ],
)
def test_what_is_no_safetensors_file_is_refused(tmp_path, content, sentence):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=sentence):
        open_tensors(path)


def entry(start, end, shape=(2,), dtype="F32"):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, end]}


@pytest.mark.parametrize(
    ("header", "size", "sentence"),
    [
        ({"a": entry(0, 8), "b": entry(4, 12)}, 12, "'b' overlaps another tensor"),
        ({"a": entry(0, 8), "b": entry(12, 20)}, 20, "'b' leaves a gap"),
        ({"a": entry(0, 7)}, 7, r"'a' of shape \[2\] in F32 needs 8 bytes, its place has 7"),
        ({"a": entry(0, 8)}, 11, "3 bytes behind its last tensor"),
        ({"a": entry(0, 8, dtype="F7")}, 8, "stores 'a' as F7, which is not supported"),
        ({"a": {"dtype": "F32"}}, 8, "says nothing usable about its tensor 'a'"),
        ({"a": entry(-8, 0)}, 8, "contradicts itself"),
    ],
)
def test_a_header_that_contradicts_itself_is_refused(tmp_path, header, size, sentence):
    with pytest.raises(ModelError, match=sentence):
        SafetensorsFile(written(tmp_path / "model.safetensors", header, b"\0" * size))


def test_a_file_of_another_ending_is_refused(tmp_path):
    with pytest.raises(ModelError, match=r"ends in '\.gguf'; a model file ends in \.safetensors"):
        open_tensors(tmp_path / "model.gguf")
