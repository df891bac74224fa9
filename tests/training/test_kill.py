"""`kill -9` at any moment: every file on disk is whole, and resuming comes to the same end."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from safetensors.torch import load_file  # noqa: E402

from lib_trainer.core.configs import dump  # noqa: E402
from lib_trainer.core.events import Finished, Loss, Started  # noqa: E402
from tests.training.runs import equal  # noqa: E402

DEMO = Path(__file__).parents[2] / "lib_trainer" / "demo"
PATIENCE_SECONDS = 120
BUSY = {
    "trainable": {"rank": 2, "conv_rank": 2, "dropout": 0.2},
    "dataset": {"flip": 0.5, "shuffle_tags": True},
    "text_encoder_learning_rate": 1e-3,
    "previews": {"prompts": ["a cat"], "steps": 1, "cfg_scale": 1, "every": "3 steps"},
    "saving": {"every": "1 step", "state_every": "1 step"},
}


@pytest.fixture
def killed(runs, worker):
    """`killed(changes, seconds, name)`: start the real worker on a run, kill it so long after its first step."""

    def run_and_kill(changes, seconds, name):
        run = runs.run(name)
        if not run.directory.job_file.exists():
            run.directory.create("train", dump(runs.options(changes, name)))
        offset = run.directory.end()
        process = worker(run.directory)
        until = time.monotonic() + PATIENCE_SECONDS
        while process.poll() is None and not steps_since(run, offset):
            assert time.monotonic() < until, "no step was taken"
            time.sleep(0.005)
        time.sleep(seconds)
        process.kill()
        process.wait()
        return run

    return run_and_kill


def steps_since(run, offset):
    return [event for event in run.directory.events_after(offset)[0] if isinstance(event, Loss)]


def check_files(run, names):
    """Each file that has its final name is whole and sound."""
    networks = [load_file(path) for path in run.networks]
    assert all(tensors.keys() == names for tensors in networks)
    assert all(bool(torch.isfinite(tensor).all()) for tensors in networks for tensor in tensors.values())
    states = [torch.load(path, weights_only=True) for path in run.directory.states.glob("*.pt")]
    assert states or not run.saved("state"), "from the first one on there is always a state to resume from"
    assert all(state["network"].keys() == names for state in states)
    assert all(bool(torch.isfinite(tensor).all()) for state in states for tensor in state["network"].values())


def finish(run, worker):
    process = worker(run.directory)
    assert process.wait(timeout=PATIENCE_SECONDS) == 0, run.directory.log_file.read_text(encoding="utf-8")
    assert isinstance(run.directory.events_after(0)[0][-1], Finished)


def left_behind(run):
    return [path.name for path in (*run.out.iterdir(), *run.directory.path.rglob("*")) if path.suffix == ".tmp"]


def kill_and_compare(runs, worker, killed, changes, seconds):
    """Kill a run after each of these times; at last its files are those of a run that was left alone."""
    alone = runs.train(changes, "alone")
    names = alone.tensors().keys()
    for pause in seconds:
        run = killed(changes, pause, "killed")
        check_files(run, names)
    finish(run, worker)
    assert len(run.of(Started)) == len(seconds) + 1
    assert [path.name for path in run.networks] == [path.name for path in alone.networks]
    for which in range(len(alone.networks)):
        assert equal(run.tensors(which), alone.tensors(which))
    assert equal(run.state["optimizer"], alone.state["optimizer"])
    assert left_behind(run) == []


@pytest.mark.slow
def test_a_run_that_is_killed_three_times_ends_as_if_it_had_not_been(runs, worker, killed):
    chance = random.Random(0)
    kill_and_compare(runs, worker, killed, {**BUSY, "epochs": 5}, [chance.uniform(0, 0.25) for _ in range(3)])


@pytest.mark.slow
def test_a_demo_run_that_is_killed_twenty_times_ends_as_if_it_had_not_been(runs, worker, killed):
    """The shipped model and pictures; something is being saved at nearly every moment."""
    chance = random.Random(1)
    changes = {
        **BUSY,
        "model": str(DEMO / "model" / "emoji-tiny.safetensors"),
        "dataset": {"folder": str(DEMO / "pictures" / "openmoji-style"), "flip": 0.5, "buckets": {"square": True}},
        "epochs": 100,
        "max_steps": 120,
    }
    kill_and_compare(runs, worker, killed, changes, [chance.uniform(0, 0.8) for _ in range(20)])
