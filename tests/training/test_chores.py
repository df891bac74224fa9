"""What a user asks of a running run, and clocks."""

from __future__ import annotations

import types

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import TrainingError  # noqa: E402
from lib_trainer.core.events import Loss  # noqa: E402
from lib_trainer.core.run_directory import RunDirectory  # noqa: E402
from lib_trainer.training import chores  # noqa: E402
from lib_trainer.training.chores import Chores  # noqa: E402
from lib_trainer.training.outputs import identity  # noqa: E402
from lib_trainer.training.states import Place  # noqa: E402
from tests.training.test_step import stir  # noqa: E402

PREVIEW = {"prompts": ["a cat"], "steps": 1, "cfg_scale": 1, "every": "never"}


@pytest.fixture
def asked(monkeypatch):
    """`asked("save", step)`: the run is asked for it when the loss of that step is told."""

    def ask(name, step):
        plain = RunDirectory.append

        def append(self, event):
            plain(self, event)
            if isinstance(event, Loss) and event.step == step:
                self.request(name)

        monkeypatch.setattr(RunDirectory, "append", append)

    return ask


def test_a_network_is_saved_when_it_is_asked_for(runs, asked):
    asked("save", 2)
    assert runs.train().saved("network") == [(2, "net-e000-s000002.safetensors"), (4, "net-e001.safetensors")]


def test_a_picture_is_drawn_when_it_is_asked_for(runs, asked):
    asked("sample", 3)
    assert runs.train({"previews": PREVIEW}).saved("picture") == [(3, "e000-s000003-1.png")]


def test_what_is_asked_for_when_it_is_due_is_done_once(runs, asked):
    asked("sample", 2)
    asked("save", 2)
    run = runs.train({"previews": {**PREVIEW, "every": "2 steps"}, "saving": {"every": "2 steps"}})
    assert [step for step, _ in run.saved("picture")] == [2, 4]
    assert [step for step, _ in run.saved("network")] == [2, 4]


def test_a_stop_saves_a_state_and_no_network(runs):
    run = runs.train({"saving": {"every": "never", "state_every": "never"}}, stop_at=3)
    assert run.state["place"]["step"] == 3
    assert run.networks == []


def test_a_state_that_is_due_at_the_stop_is_written_once(runs):
    run = runs.train({"saving": {"state_every": "3 steps"}}, stop_at=3)
    assert [step for step, _ in run.saved("state")] == [3]


@pytest.mark.option("SavingOptions.every", "SavingOptions.state_every")
@pytest.mark.option("PreviewOptions.every", "ValidationOptions.every")
def test_minutes_are_of_wall_time_since_the_training_began(runs, things, monkeypatch):
    """On a clock that moves by half a minute with each step."""
    run = runs.run()
    clock = types.SimpleNamespace(monotonic=lambda: 30.0 * len(run.losses))
    monkeypatch.setattr(chores, "time", clock)
    told = {
        "epochs": 2,
        "previews": {**PREVIEW, "every": "2 minutes"},
        "saving": {"every": "1 minute", "state_every": "3 minutes"},
        "validation": {"folder": str(things / "aside"), "every": "2 minutes"},
    }
    runs.train(told)
    assert [step for step, _ in run.saved("network")] == [2, 4, 6, 8]
    assert [step for step, _ in run.saved("state")] == [6]
    assert [step for step, _ in run.saved("picture")] == [4, 8]
    assert len(run.held_out) == 3


def test_the_held_out_loss_is_measured_without_dropout(runs, things):
    session = runs.open({"validation": {"folder": str(things / "aside")}, "trainable": {"dropout": 0.5}})
    stir(session)
    run = runs.run()
    made = Chores(session, identity(run.directory, run.out, "net"), "belongs")
    for _ in range(2):
        made.before_training(Place())
    assert run.held_out[0] == run.held_out[1]


def test_weights_that_are_not_finite_are_written_neither_into_a_state_nor_into_a_network(runs):
    session = runs.open({})
    run = runs.run()
    made = Chores(session, identity(run.directory, run.out, "net"), "belongs")
    made.save_state(Place(step=1))
    session.parameters[3].data[0] = torch.nan
    with pytest.raises(TrainingError, match="After step 2 a weight is not finite; the state before it is kept"):
        made.save_state(Place(step=2))
    with pytest.raises(TrainingError, match="not finite"):
        made.save(Place(step=2))
    assert run.state["place"]["step"] == 1
    assert run.networks == []
    assert list(run.out.iterdir()) == []
