import json
import os
import pickle

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import ModelError  # noqa: E402
from lib_trainer.models.tensor_files import open_tensors  # noqa: E402


class Trap:
    """What unpickling turns into a call."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.fixture
def tensors():
    base = torch.randn(4, 6)
    return {"base": base, "view": base[1:3], "turned": base.t(), "whole": torch.arange(3), "empty": torch.empty(0, 2)}


@pytest.mark.parametrize("in_pieces", [True, False], ids=["zip format", "format before 2020"])
@pytest.mark.parametrize("wrapped", [True, False], ids=["under state_dict", "bare"])
def test_tensors_are_read_as_torch_saved_them(tmp_path, tensors, in_pieces, wrapped):
    content = {"state_dict": tensors, "global_step": 7} if wrapped else tensors
    torch.save(content, tmp_path / "model.ckpt", _use_new_zipfile_serialization=in_pieces)
    read = open_tensors(tmp_path / "model.ckpt")
    assert read.shapes == {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    for name, tensor in tensors.items():
        assert read.dtype(name) == tensor.dtype
        assert torch.equal(read.read(name), tensor)


@pytest.mark.parametrize("in_pieces", [True, False], ids=["zip format", "format before 2020"])
def test_plain_values_beside_the_tensors_are_told_as_json_and_a_checkpoints_are_not(tmp_path, tensors, in_pieces):
    beside = {"step": 7, "sizes": [1, 2.5, 1], "name": "a cat", "nothing": None, "by width": {"base": tensors["base"]}}
    for name, content in (("net.pt", {768: (tensors, tensors), **beside}),
                          ("model.ckpt", {"state_dict": tensors, **beside})):
        torch.save(content, tmp_path / name, _use_new_zipfile_serialization=in_pieces)
    told = open_tensors(tmp_path / "net.pt").metadata
    assert {name: json.loads(text) for name, text in told.items()} == {
        "step": 7, "sizes": [1, 2.5, 1], "name": "a cat", "nothing": None
    }
    assert open_tensors(tmp_path / "model.ckpt").metadata == {}


def test_a_file_of_todays_format_keeps_nothing_in_memory(tmp_path, tensors):
    torch.save(tensors, tmp_path / "model.ckpt")
    read = open_tensors(tmp_path / "model.ckpt")
    (tmp_path / "model.ckpt").unlink()
    with pytest.raises(ModelError, match=r"model\.ckpt can't be read"):
        read.read("base")


@pytest.mark.parametrize("in_pieces", [True, False])
def test_code_in_a_file_is_refused_by_name_and_not_run(tmp_path, tensors, in_pieces):
    made = tmp_path / "made by the trap"
    content = {"state_dict": tensors, "callbacks": Trap(made)}
    torch.save(content, tmp_path / "model.ckpt", _use_new_zipfile_serialization=in_pieces)
    with pytest.raises(ModelError, match=r"model\.ckpt calls for the Python object '\w+\.mkdir'.*\.safetensors"):
        open_tensors(tmp_path / "model.ckpt")
    assert not made.exists()


def test_a_plain_pickle_is_refused_and_not_run(tmp_path):
    made = tmp_path / "made by the trap"
    (tmp_path / "model.pt").write_bytes(pickle.dumps({"a": Trap(made)}, protocol=2))
    with pytest.raises(ModelError, match="nothing of it was run"):
        open_tensors(tmp_path / "model.pt")
    assert not made.exists()


def test_a_cut_off_file_is_refused(tmp_path, tensors):
    torch.save(tensors, tmp_path / "model.ckpt")
    whole = (tmp_path / "model.ckpt").read_bytes()
    (tmp_path / "model.ckpt").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match=r"model\.ckpt .*(Download|safetensors)"):
        open_tensors(tmp_path / "model.ckpt")


@pytest.mark.parametrize("content", [{"epoch": 3}, [1, 2], torch.ones(3)], ids=["no tensor", "a list", "one tensor"])
def test_a_file_without_named_tensors_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "model.pt")
    with pytest.raises(ModelError, match=r"holds (no tensors|a \w+ instead of named tensors)"):
        open_tensors(tmp_path / "model.pt")
