from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import OutputError  # noqa: E402
from lib_trainer.dataset.cache_files import DamagedFileError, read_tensors, write_tensors  # noqa: E402


def test_tensors_come_back_as_they_were(tmp_path: Path) -> None:
    tensors = {"mean": torch.randn(4, 3, 5), "states": torch.randn(7, 2).bfloat16()}
    write_tensors(tmp_path / "deep" / "a.latent", tensors)
    read = read_tensors(tmp_path / "deep" / "a.latent")
    assert read is not None
    assert read.keys() == tensors.keys()
    assert all(torch.equal(read[name], tensors[name]) and read[name].dtype == tensors[name].dtype for name in tensors)


def test_a_file_that_is_not_there_gives_none(tmp_path: Path) -> None:
    assert read_tensors(tmp_path / "a.latent") is None


@pytest.mark.parametrize("kept", [0, 10, 32, 100, -1])
def test_a_truncated_file_is_noticed(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "a.latent"
    write_tensors(path, {"mean": torch.randn(4, 8, 8)})
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DamagedFileError):
        read_tensors(path)


@pytest.mark.parametrize("place", [0, 40, -1])
def test_one_flipped_bit_is_noticed(tmp_path: Path, place: int) -> None:
    path = tmp_path / "a.latent"
    write_tensors(path, {"mean": torch.randn(4, 8, 8)})
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedFileError):
        read_tensors(path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    with pytest.raises(OutputError, match=r"file.*can't be written.*another cache folder"):
        write_tensors(tmp_path / "file" / "a.latent", {"mean": torch.zeros(1)})
