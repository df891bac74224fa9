"""N + M steps equal N, stop, resume, M, bit for bit."""

from __future__ import annotations

import json
import shutil
import threading
import time

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import TrainingError  # noqa: E402
from lib_trainer.core.places import DATA_VARIABLE  # noqa: E402
from lib_trainer.training.plan import plan  # noqa: E402
from tests.training.runs import Runs, equal  # noqa: E402

# Seven batches an epoch in windows of three, three and one make nine steps of two buckets.
EVERYTHING = {
    "dataset": {"shuffle_tags": True, "keep_tags": 1, "tag_dropout": 0.3, "caption_dropout": 0.2, "flip": 0.5},
    "trainable": {"rank": 2, "conv_rank": 2, "dropout": 0.3},
    "epochs": 3,
    "batch_size": 1,
    "accumulate": 3,
    "text_encoder_learning_rate": 5e-4,
    "schedule": {"type": "cosine", "warmup": 2},
    "diffusion": {"noise_offset": 0.05, "min_snr_gamma": 5},
    "seed": 11,
    "saving": {"every": "1 epoch", "state_every": "1 epoch"},
}


@pytest.fixture(scope="module")
def whole(things, base, tmp_path_factory):
    """A run with everything on that was not stopped."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(DATA_VARIABLE, str(things / "data"))
        return Runs(tmp_path_factory.mktemp("whole"), base).train(EVERYTHING)


def same(run, whole):
    """Whether two runs ended with the same files and in the same state."""
    assert equal([run.tensors(which) for which in range(3)], [whole.tensors(which) for which in range(3)])
    one, other = run.state, whole.state
    places = [(state["place"]["step"], state["place"]["epoch"], state["place"]["batch"]) for state in (one, other)]
    assert places == [(9, 3, 0)] * 2
    assert equal(one["network"], other["network"])
    assert equal(one["optimizer"], other["optimizer"])
    assert equal(one["random"], other["random"])
    return run.losses == whole.losses


@pytest.mark.parametrize("stops", [[1], [3], [5], [8], [2, 3, 4, 7]])
def test_a_run_that_was_stopped_and_resumed_equals_one_that_was_not(runs, whole, stops):
    """After one step, at an epoch's end, within an epoch, before the last step, and again and again."""
    for stop in stops:
        run = runs.train(EVERYTHING, "stopped", stop_at=stop)
        assert run.state["place"]["step"] == stop
        assert f"Going on after step {stop} of 9" not in run.messages
    run = runs.train(EVERYTHING, "stopped")
    assert [f"Going on after step {stop} of 9" in run.messages for stop in stops] == [True] * len(stops)
    assert same(run, whole)


def test_a_run_with_a_frozen_text_encoder_resumes_as_exactly(runs):
    told = {**EVERYTHING, "text_encoder_learning_rate": 0, "schedule": "linear"}
    whole = runs.train(told, "whole")
    runs.train(told, "stopped", stop_at=4)
    assert same(runs.train(told, "stopped"), whole)


def test_a_stop_that_comes_from_outside_at_any_moment_is_resumed_exactly(runs, whole):
    def ask():
        run = runs.run("stopped")
        while len(run.losses) < 4:
            time.sleep(0.001)
        run.directory.request("stop")

    thread = threading.Thread(target=ask)
    thread.start()
    stopped = runs.train(EVERYTHING, "stopped")
    thread.join()
    assert 4 <= stopped.state["place"]["step"] < 9
    assert same(runs.train(EVERYTHING, "stopped"), whole)


def test_a_state_from_the_middle_of_a_run_that_died_is_resumed_exactly(runs, whole):
    """Steps after the newest state are taken again, and files made after it are made again."""
    runs.train(EVERYTHING, "died", stop_at=4)
    kept = next(runs.run("died").directory.states.iterdir())
    data = kept.read_bytes()
    runs.train(EVERYTHING, "died", stop_at=7)
    next(runs.run("died").directory.states.iterdir()).unlink()
    kept.write_bytes(data)
    run = runs.train(EVERYTHING, "died")
    same(run, whole)
    assert len(run.networks) == len(run.result["networks"]) == 3


def test_held_out_losses_are_kept_over_a_stop_and_the_base_is_not_measured_again(runs, things):
    told = {"validation": {"folder": str(things / "aside")}, "epochs": 2}
    whole = runs.train(told, "whole").result["held_out_loss"]
    runs.train(told, "stopped", stop_at=5)
    run = runs.train(told, "stopped")
    assert run.result["held_out_loss"] == whole
    assert len(run.held_out) == 3


@pytest.mark.parametrize(
    "change", [{"learning_rate": 2e-3}, {"epochs": 9}, {"dataset": {"trigger": "sks"}}, {"trainable": {"rank": 3}}]
)
def test_a_state_is_not_resumed_with_other_options(runs, change):
    runs.train(EVERYTHING, stop_at=1)
    with pytest.raises(TrainingError, match="belongs to other options, pictures or captions"):
        runs.train({**EVERYTHING, **change})


def test_a_state_is_not_resumed_with_other_captions_or_pictures(runs, things, tmp_path):
    import shutil

    shutil.copytree(things / "pictures", tmp_path / "pictures")
    told = {"dataset": {"folder": str(tmp_path / "pictures")}, "max_steps": 2}
    runs.train(told, stop_at=1)
    (tmp_path / "pictures" / "0.txt").write_text("another caption", encoding="utf-8")
    with pytest.raises(TrainingError, match="belongs to other options, pictures or captions"):
        runs.train(told)
    shutil.copy(things / "pictures" / "0.txt", tmp_path / "pictures" / "0.txt")
    shutil.copy(things / "pictures" / "1.png", tmp_path / "pictures" / "0.png")
    with pytest.raises(TrainingError, match="belongs to other options, pictures or captions"):
        runs.train(told)
    shutil.copy(things / "pictures" / "0.png", tmp_path / "pictures" / "0.png")
    assert runs.train(told).result["steps"] == 2


def test_a_run_that_is_through_stays_as_it_is_when_it_is_started_again(runs):
    told = {"saving": {"every": "1 epoch", "state_every": "1 epoch"}}
    once = runs.train(told)
    tensors, losses = once.tensors(), once.losses
    again = runs.train(told)
    assert equal(again.tensors(), tensors)
    assert again.losses == losses
    assert again.result["networks"] == once.result["networks"]


def test_a_step_left_out_is_left_out_after_resuming_too(runs, tmp_path):
    """A stop at such a step keeps all steps before it."""
    from lib_trainer.dataset.cache_files import write_tensors

    told = {"dataset": {"cache": str(tmp_path / "cache")}, "saving": {"state_every": "1 epoch"}, "epochs": 2}
    dataset = runs.open(told, "open").dataset
    entry = dataset.entries[dataset.batches(0)[1][0].entry]
    mean, std = dataset._cache.read(entry.view)
    write_tensors(dataset._cache.file(entry.view), {"mean": mean * torch.nan, "std": std})
    whole = runs.train(told, "whole")
    stopped = runs.train(told, "stopped", stop_at=2)
    assert stopped.state["place"]["step"] == 2
    assert len(stopped.losses) == 1
    assert equal(runs.train(told, "stopped").tensors(), whole.tensors())


def test_fractions_of_repeats_and_words_by_chance_are_resumed_to_the_bit(runs, things, tmp_path):
    pictures = tmp_path / "side"
    shutil.copytree(things / "pictures", pictures)
    for file in pictures.glob("*.txt"):
        file.write_text(f"a {{red|green}} (thing:1.3), {file.read_text()}\na thing")
    told = {"repeats": 0.5, "pictures": {"1.png": {"repeats": 1.5, "loss_weight": 2}}}
    (pictures / "overrides.json").write_text(json.dumps(told))
    changes = {
        "dataset": {
            "folder": str(pictures), "captions": {"lines": "any"}, "overrides": {"read": True},
            "wording": {"wildcards": True, "warmup": 2.5, "dropout_every": 3},
        },
        "text": {"reading": "webui"}, "epochs": 4, "batch_size": 1, "saving": {"state_every": "1 step"},
    }  # fmt: skip
    whole = runs.train(changes, "whole")
    assert whole.result["steps"] == plan(runs.options(changes), runs.run("planned").directory)["steps"]
    assert len(whole.losses) == whole.result["steps"] != 28
    runs.train(changes, "parted", stop_at=5)
    parted = runs.train(changes, "parted")
    assert parted.losses == whole.losses
    assert equal(parted.state["network"], whole.state["network"])
