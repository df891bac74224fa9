"""The step as a whole: how long it goes on, what it is given, what it tells, and how it ends without memory."""

from __future__ import annotations

import dataclasses
import json
import shutil

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import TrainingError  # noqa: E402
from lib_trainer.core.events import Finished, Loss, Notice, Progress  # noqa: E402
from lib_trainer.core.run_directory import RunDirectory  # noqa: E402
from lib_trainer.training.session import Session  # noqa: E402
from lib_trainer.training.train import train  # noqa: E402
from tests.training.runs import Run, equal  # noqa: E402


def test_the_result_names_the_files_the_steps_and_the_epochs(runs):
    run = runs.train({"epochs": 2, "saving": {"every": "1 epoch"}})
    assert run.result == {
        "name": "net",
        "networks": [str(run.out / "net-e001.safetensors"), str(run.out / "net-e002.safetensors")],
        "held_out_loss": {"base": None, "epochs": {}},
        "steps": 8,
        "epochs": 2,
    }
    json.dumps(run.result)


@pytest.mark.option("TrainingOptions.epochs")
def test_all_pictures_are_gone_through_as_often_as_epochs_are_told(runs):
    run = runs.train({"epochs": 3})
    assert [event.epoch for event in run.of(Loss)] == [0] * 4 + [1] * 4 + [2] * 4
    assert run.of(Progress)[-1].total == 12


@pytest.mark.option("TrainingOptions.max_steps")
@pytest.mark.parametrize(("most", "steps", "name"), [(3, 3, "e000-s000003"), (4, 4, "e001"), (99, 4, "e001")])
def test_the_training_ends_after_so_many_steps_and_the_name_tells_where(runs, most, steps, name):
    run = runs.train({"max_steps": most})
    assert run.result["steps"] == steps
    assert [path.stem for path in run.networks] == [f"net-{name}"]


@pytest.mark.option("TrainingOptions.batch_size")
@pytest.mark.parametrize(("size", "sizes"), [(1, [1] * 7), (2, [1, 2, 2, 2]), (3, [1, 3, 3]), (4, [3, 4])])
def test_batches_hold_so_many_pictures_of_one_size_at_once(runs, monkeypatch, size, sizes):
    seen = []
    plain = Session.denoise
    monkeypatch.setattr(
        Session, "denoise", lambda self, noisy, *rest: (seen.append(len(noisy)), plain(self, noisy, *rest))[1]
    )
    runs.train({"batch_size": size})
    assert sorted(seen) == sizes


@pytest.mark.option("TrainingOptions.seed")
def test_equal_seeds_give_equal_networks_and_others_give_others(runs):
    def trained(name, seed):
        torch.manual_seed(ord(name))  # what the process drew before does not matter
        return runs.train({"seed": seed, "trainable": {"dropout": 0.3}}, name)

    one, same, other = trained("a", 1), trained("b", 1), trained("c", 2)
    assert equal(one.tensors(), same.tensors())
    assert not equal(one.tensors(), other.tensors())


@pytest.mark.option("TrainingOptions.model")
def test_the_model_that_is_told_is_the_one_that_is_trained_on(runs, tmp_path):
    from tests.models.miniature import miniature_checkpoint

    other = miniature_checkpoint(tmp_path / "other.safetensors", seed=1)
    own, others = runs.train({"max_steps": 1}, "own"), runs.train({"model": str(other), "max_steps": 1}, "others")
    assert own.losses != others.losses


@pytest.mark.option("TrainingOptions.trainable", "Lora.rank", "Lora.alpha", "Lora.conv_rank", "Lora.conv_alpha")
def test_the_network_has_the_sizes_that_are_told(runs):
    tensors = runs.train({"trainable": {"rank": 3, "alpha": 1.5, "conv_rank": 5, "conv_alpha": 2.5}}).tensors()
    found = set()
    for name, tensor in tensors.items():
        if name.endswith("lora_down.weight"):
            large = tensor.ndim == 4 and tensor.shape[-1] > 1
            found.add((large, tensor.shape[0], tensors[name.replace("lora_down.weight", "alpha")].item()))
    assert found == {(False, 3, 1.5), (True, 5, 2.5)}


def test_training_lowers_the_loss_on_what_it_is_trained_on(runs, things):
    told = {"dataset": {"folder": str(things / "aside"), "repeats": 10}, "learning_rate": 1e-2, "epochs": 3}
    losses = runs.train(told).losses
    assert sum(losses[-10:]) < 0.9 * sum(losses[:10])


def test_the_models_file_and_the_pictures_stay_as_they_are(runs, things, tmp_path):
    folder = shutil.copytree(things, tmp_path / "things")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and "data" not in path.parts}
    told = {"model": str(folder / "miniature.safetensors"), "dataset": {"folder": str(folder / "pictures")}}
    runs.train({**told, "dataset": {**told["dataset"], "cache": str(tmp_path / "cache")}})
    after = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and "data" not in path.parts}
    assert after == before


def out_of_memory_at(monkeypatch, error):
    def denoise(self, *_):
        raise error

    monkeypatch.setattr(Session, "denoise", denoise)


ORDER = ("lower 'batch_size' (now 2", "turn on 'gradient_checkpointing'", "'precision' and 'frozen_precision' to auto",
         "lower 'dataset.buckets.resolution' (now 64", "a smaller rank")  # fmt: skip


GPU, CPU = torch.OutOfMemoryError("CUDA out of memory."), RuntimeError("DefaultCPUAllocator: can't allocate memory")


@pytest.mark.parametrize(
    ("error", "changes", "left"),
    [
        (CPU, {}, ORDER),
        (GPU, {}, ORDER),
        (GPU, {"batch_size": 1}, ORDER[1:]),
        (GPU, {"gradient_checkpointing": True}, (ORDER[0], *ORDER[2:])),
        (GPU, {"precision": "auto"}, (*ORDER[:2], *ORDER[3:])),
        (GPU, {"batch_size": 1, "gradient_checkpointing": True, "precision": "auto"}, ORDER[3:]),
    ],
)
def test_without_memory_the_sentence_says_what_to_lower_in_order_and_nothing_that_is_low_already(
    runs, monkeypatch, error, changes, left
):
    out_of_memory_at(monkeypatch, error)
    with pytest.raises(TrainingError, match="The memory is full") as caught:
        runs.train(changes)
    said = str(caught.value)
    places = [said.find(words) for words in ORDER]
    assert [words for words in ORDER if words in said] == list(left)
    assert [place for place in places if place >= 0] == sorted(place for place in places if place >= 0)


def test_other_errors_of_the_engine_are_bugs_and_stay_so(runs, monkeypatch):
    out_of_memory_at(monkeypatch, RuntimeError("shapes do not fit"))
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        runs.train()


def test_a_stop_before_the_first_step_ends_quietly_and_nothing_is_written(runs):
    run = runs.run()
    run.directory.request("stop")
    assert train(runs.options({}), run.directory).get("networks", []) == []
    assert run.networks == []


def test_the_real_worker_trains_and_tells_the_result(runs, things, worker):
    from lib_trainer.core.configs import dump

    directory = RunDirectory(runs.folder / "worker")
    directory.create("train", dump(runs.options({"max_steps": 2}, "worker")))
    done = worker(directory).wait(timeout=120)
    run = Run(directory, runs.folder / "worker" / "out", {})
    assert done == 0, directory.log_file.read_text(encoding="utf-8")
    (event,) = run.of(Finished)
    assert event.result["networks"] == [str(path) for path in run.networks]
    assert equal(run.tensors(), runs.train({"max_steps": 2}, "here").tensors())


def test_what_is_trained_and_how_is_told_at_the_start(runs):
    assert "miniature.safetensors on the cpu in float32" in runs.train({"max_steps": 1}).of(Notice)[0].message


def test_two_runs_with_equal_options_do_not_hinder_each_other(runs):
    """Options are values: nothing of a run stays in them or in the process."""
    told = runs.options({"max_steps": 1})
    first = train(told, runs.run("first").directory)
    second = train(dataclasses.replace(told), runs.run("second").directory)
    assert [first["name"], second["name"]] == ["net", "net-2"]
