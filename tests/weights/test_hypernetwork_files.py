"""A hypernetwork's file is what AUTOMATIC1111 writes itself, in an archive that it accepts, and opens again."""

from __future__ import annotations

import json
import math
import zipfile

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import ModelError, TrainingError  # noqa: E402
from lib_trainer.models.loading import load_model  # noqa: E402
from lib_trainer.trainables.hypernetwork import Hypernetwork  # noqa: E402
from lib_trainer.weights.hypernetworks import write_hypernetwork  # noqa: E402
from lib_trainer.weights.metadata import NetworkFacts  # noqa: E402
from lib_trainer.weights.networks import open_network  # noqa: E402
from lib_trainer.weights.results import Result  # noqa: E402
from tests.models.families import CHECKPOINTS  # noqa: E402
from tests.models.miniature import miniature_checkpoint  # noqa: E402
from tests.trainables.test_hypernetwork import predicted, stirred  # noqa: E402

FACTS = NetworkFacts(
    family="sd1", base_name="mini.safetensors", prediction="epsilon", resolution=64, clip_skip=1, trigger="", epoch=2,
    started_at=1.0, finished_at=2.0, step=12, seed=3,
)  # fmt: skip
OPTIONS = Hypernetwork(layer_sizes=(1.0, 1.5, 2.0, 1.0), activation="mish", layer_norm=True, hidden_dropout=0.3)


@pytest.fixture
def model(tmp_path):
    return load_model(miniature_checkpoint(tmp_path / "mini.safetensors"), torch.float32, torch.device("cpu"))


def write(path, model, network, dtype=torch.float32):
    write_hypernetwork(path, Result(model, network, path.stem, FACTS, dtype, "pt", original_names=False))


def test_it_is_nested_and_named_as_the_webui_writes_it(model, tmp_path):
    network = stirred(OPTIONS, model)
    write(tmp_path / "cat-e002.pt", model, network)
    assert not zipfile.is_zipfile(tmp_path / "cat-e002.pt")
    found = torch.load(tmp_path / "cat-e002.pt", weights_only=True)
    widths = [name for name in found if type(name) is int]
    assert widths == sorted({int(name.split(".")[0]) for name in network.tensors()})
    for width in widths:
        assert type(found[width]) is tuple
        for number, state in enumerate(found[width]):
            for name, tensor in state.items():
                assert torch.equal(tensor, network.tensors()[f"{width}.{number}.{name}"])
    info = json.loads(found["optional_info"])
    assert (info["ss_epoch"], info["ss_seed"]) == ("2", "3")
    plain = {name: value for name, value in found.items() if type(name) is str and name != "optional_info"}
    assert plain == {
        "name": "cat-e002", "step": 12, "sd_checkpoint": None, "sd_checkpoint_name": "mini",
        "layer_structure": [1, 1.5, 2, 1], "activation_func": "mish", "weight_initialization": "Normal",
        "is_layer_norm": True, "activate_output": False, "use_dropout": True,
        "dropout_structure": [0.0, 0.3, 0.3, 0.0], "last_layer_dropout": True,
    }  # fmt: skip


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_the_file_opens_and_predicts_what_was_in_memory(model, tmp_path, dtype):
    network = stirred(OPTIONS, model)
    wanted, matched = predicted(model), network.matched
    write(tmp_path / "net.pt", model, network, dtype)
    network.detach()
    assert open_network(model, tmp_path / "net.pt").matched == matched
    assert torch.allclose(predicted(model), wanted, atol=1e-2 if dtype == torch.float16 else 0)


def test_a_file_that_the_webui_wrote_opens(model, tmp_path):
    """Its zip format, with what its `Hypernetwork.save` puts there."""
    network = stirred(Hypernetwork(activation="relu"), model)
    wanted = predicted(model)
    state = {width: tuple({name.split(".", 2)[2]: tensor for name, tensor in network.tensors().items()
                           if name.startswith(f"{width}.{number}.")} for number in (0, 1)) for width in (32, 64)}
    state |= {"step": 5, "name": "theirs", "layer_structure": [1, 2, 1], "activation_func": "relu",
              "is_layer_norm": False, "weight_initialization": "Normal", "sd_checkpoint": "0123456789",
              "sd_checkpoint_name": "mini", "activate_output": False, "use_dropout": False,
              "dropout_structure": [0, 0, 0], "last_layer_dropout": False, "optional_info": None}
    torch.save({width: each for width, each in state.items() if each != ({}, {})}, tmp_path / "theirs.pt")
    network.detach()
    open_network(model, tmp_path / "theirs.pt")
    assert torch.equal(predicted(model), wanted)


def test_on_another_model_the_file_is_refused_by_its_name(model, tmp_path):
    write(tmp_path / "net.pt", model, stirred(OPTIONS, model))
    other = load_model(CHECKPOINTS["sdxl"](tmp_path / "xl.safetensors"), torch.float32, torch.device("cpu"))
    with pytest.raises(ModelError, match=r"net\.pt: hypernetworks work with Stable Diffusion 1 and 2 alone"):
        open_network(other, tmp_path / "net.pt")


@pytest.mark.parametrize(("value", "dtype"), [(math.nan, torch.float32), (1e6, torch.float16)])
def test_values_that_are_not_finite_are_not_written(model, tmp_path, value, dtype):
    network = OPTIONS.attach(model, ["unet"], 0)
    network.parameters("unet")[0].data[0] = value
    with pytest.raises(TrainingError, match=r"net\.pt was not written: \d+\.0\.linear\.0\.weight holds values"):
        write(tmp_path / "net.pt", model, network, dtype)
    assert not list(tmp_path.glob("net*"))


def test_a_file_that_reads_back_otherwise_is_not_kept(model, tmp_path, monkeypatch):
    save = torch.save

    def spoiled(content, file, **how):
        width = next(name for name in content if type(name) is int)
        keys, values = content[width]
        save({**content, width: (keys, {**values, "linear.0.bias": torch.ones(1)})}, file, **how)

    monkeypatch.setattr(torch, "save", spoiled)
    with pytest.raises(TrainingError, match=r"net\.pt was not written: read back, it differs"):
        write(tmp_path / "net.pt", model, OPTIONS.attach(model, ["unet"], 0))
    assert not list(tmp_path.glob("net*"))
