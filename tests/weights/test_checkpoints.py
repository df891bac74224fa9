import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import ModelError, OutputError  # noqa: E402
from lib_trainer.models.loading import load_model  # noqa: E402
from lib_trainer.weights.checkpoints import write_checkpoint  # noqa: E402
from tests.models.miniature import miniature_checkpoint  # noqa: E402

DEMO = Path(__file__).parents[2] / "lib_trainer" / "demo" / "model" / "emoji-tiny.safetensors"
CPU = torch.device("cpu")
ROOT = Path(__file__).parents[2]
FULL_SIZE = """
import math, resource, sys, torch
from pathlib import Path
from safetensors import safe_open
from safetensors.torch import save_file
from lib_trainer.models.loading import load_model
from lib_trainer.weights.checkpoints import write_checkpoint
from tests.models.miniature import FULL, shapes_of
source, again = Path(sys.argv[1]), Path(sys.argv[2])
if sys.argv[3] == "make":
    scale = {name: 1 / math.sqrt(math.prod(shape[1:])) for name, shape in shapes_of(FULL).items()}
    save_file({name: torch.randn(shape).mul_(scale[name]).half() for name, shape in shapes_of(FULL).items()}, source)
elif sys.argv[3] == "write":
    write_checkpoint(load_model(source, torch.float32, torch.device("cpu")), again)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)
else:
    with safe_open(source, "pt") as one, safe_open(again, "pt") as other:
        assert set(one.keys()) == set(other.keys())
        assert all(torch.equal(one.get_tensor(name), other.get_tensor(name)) for name in one.keys())
"""
EMA = {"model_ema.decay": torch.tensor(0.9999), "betas": torch.ones(1000, dtype=torch.float64)}


def tensors_of(path):
    from safetensors.torch import load_file

    return load_file(path)


def bytes_of(tensor):
    return tensor.reshape(-1).view(torch.uint8).numpy().tobytes()


def same_bytes(one, other):
    return one.keys() == other.keys() and all(
        one[name].dtype == other[name].dtype
        and one[name].shape == other[name].shape
        and bytes_of(one[name]) == bytes_of(other[name])
        for name in one
    )


@pytest.fixture
def source(tmp_path):
    return miniature_checkpoint(tmp_path / "source.safetensors", extra=EMA)


def test_the_demo_model_is_written_back_with_equal_keys_and_bytes(tmp_path):
    write_checkpoint(load_model(DEMO, torch.float32, CPU), tmp_path / "again.safetensors")
    assert same_bytes(tensors_of(tmp_path / "again.safetensors"), tensors_of(DEMO))


def test_what_the_modules_do_not_have_is_written_too(tmp_path, source):
    write_checkpoint(load_model(source, torch.float32, CPU), tmp_path / "again.safetensors")
    assert same_bytes(tensors_of(tmp_path / "again.safetensors"), tensors_of(source))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_all_floating_point_tensors_are_written_in_the_wanted_dtype(tmp_path, source, dtype):
    write_checkpoint(load_model(source, torch.float32, CPU), tmp_path / "again.safetensors", dtype)
    expected = {name: tensor.to(dtype) for name, tensor in tensors_of(source).items()}
    assert same_bytes(tensors_of(tmp_path / "again.safetensors"), expected)


def test_what_training_changed_is_written(tmp_path, source):
    model = load_model(source, torch.float32, CPU)
    with torch.no_grad():
        model.parts["unet"].conv_in.weight.fill_(0.25)
    write_checkpoint(model, tmp_path / "again.safetensors")
    written = tensors_of(tmp_path / "again.safetensors")
    assert (written.pop("model.diffusion_model.input_blocks.0.0.weight") == 0.25).all()
    expected = tensors_of(source)
    expected.pop("model.diffusion_model.input_blocks.0.0.weight")
    assert same_bytes(written, expected)


def test_metadata_is_kept_and_added_to_but_not_the_hash_of_the_old_bytes(tmp_path, source):
    from safetensors import safe_open
    from safetensors.torch import save_file

    save_file(tensors_of(source), source, metadata={"modelspec.title": "Old", "sshs_model_hash": "0", "note": "kept"})
    added = {"modelspec.title": "New"}
    write_checkpoint(load_model(source, torch.float32, CPU), tmp_path / "again.safetensors", metadata=added)
    with safe_open(tmp_path / "again.safetensors", "pt") as file:
        assert file.metadata() == {"format": "pt", "modelspec.title": "New", "note": "kept"}


def test_a_diffusers_folder_becomes_a_single_file_of_the_original_layout(tmp_path, source):
    from tests.models.second_source import diffusers_pipeline

    diffusers_pipeline(source).save_pretrained(tmp_path / "folder")
    write_checkpoint(load_model(tmp_path / "folder", torch.float32, CPU), tmp_path / "again.safetensors", torch.float16)
    expected = {name: tensor for name, tensor in tensors_of(source).items() if name not in EMA}
    assert same_bytes(tensors_of(tmp_path / "again.safetensors"), expected)


@pytest.mark.parametrize(("value", "dtype"), [(float("nan"), None), (1e6, torch.float16)], ids=["nan", "too large"])
def test_a_tensor_that_is_not_finite_is_named_and_no_file_is_left(tmp_path, source, value, dtype):
    model = load_model(source, torch.float32, CPU)
    with torch.no_grad():
        model.parts["unet"].conv_out.bias[0] = value
    target = tmp_path / "new" / "again.safetensors"
    with pytest.raises(ModelError, match=r"again\.safetensors is not written: model\.diffusion_model\.out\.2\.bias"):
        write_checkpoint(model, target, dtype)
    assert list(target.parent.iterdir()) == []


def test_the_models_own_file_is_not_written_over(source):
    before = source.read_bytes()
    with pytest.raises(OutputError, match=r"source\.safetensors is the model that is being trained"):
        write_checkpoint(load_model(source, torch.float32, CPU), source)
    assert source.read_bytes() == before


def test_what_reads_back_otherwise_than_written_is_refused(tmp_path, source, monkeypatch):
    from lib_trainer.weights.tensor_bytes import Writing

    def flawed(self, name, dtype, real=Writing.data):
        data = real(self, name, dtype)
        is_wanted = name == "model.diffusion_model.out.2.bias"
        return memoryview(b"\xff" * data.nbytes) if is_wanted else data  # all bits set are no number

    monkeypatch.setattr(Writing, "data", flawed)
    with pytest.raises(OutputError, match=r"read back, 1 of its \d+ tensors differ: model\.diffusion_model\.out\.2"):
        write_checkpoint(load_model(source, torch.float32, CPU), tmp_path / "again.safetensors")
    assert not (tmp_path / "again.safetensors").exists()


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="ru_maxrss is in other units")
def test_a_full_size_model_in_fp32_is_loaded_and_written_back_within_5_gb(tmp_path):
    def run(step):
        files = [str(tmp_path / "full.safetensors"), str(tmp_path / "again.safetensors")]
        command = [sys.executable, "-c", FULL_SIZE, *files, step]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
        return done.stdout

    run("make")
    assert float(run("write").split()[-1]) < 5.0
    run("compare")
