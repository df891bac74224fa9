"""What runs have shown of the machine is kept for later plans."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.places import DATA_VARIABLE  # noqa: E402
from lib_trainer.models.machine import Machine  # noqa: E402
from lib_trainer.models.precision import best_device, machine_with  # noqa: E402
from lib_trainer.training import timings  # noqa: E402
from lib_trainer.training.timings import StepTimes, known_machine, known_seconds, timings_file  # noqa: E402

MACHINE = Machine("cpu", "x86", False, 0)


@pytest.fixture
def options(runs, tmp_path, monkeypatch):
    """`options(changes)`, with a data folder of the test's own."""
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "own"))
    return lambda changes=None: runs.options(changes or {})


def timed(options, seconds, monkeypatch):
    """The times of steps that took so long."""
    times = StepTimes(options, MACHINE)
    clock = iter([moment for each in seconds for moment in (0.0, each)])
    monkeypatch.setattr(timings.time, "monotonic", lambda: next(clock))
    for _ in seconds:
        times.begin()
        times.end()
    return times


def test_the_median_after_the_first_two_steps_is_remembered(options, monkeypatch):
    timed(options(), [9, 9, 1, 2, 30], monkeypatch).remember()
    assert known_seconds(options(), MACHINE) == 2


def test_fewer_steps_tell_nothing(options, monkeypatch):
    timed(options(), [9, 9], monkeypatch).remember()
    assert known_seconds(options(), MACHINE) is None


def test_a_long_run_remembers_every_fifty_steps_those_since_the_last_fifty(options, monkeypatch):
    timed(options(), [1.0] * 50 + [2.0] * 50 + [3.0] * 20, monkeypatch)
    assert known_seconds(options(), MACHINE) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"batch_size": 4},
        {"accumulate": 2},
        {"dataset": {"buckets": {"resolution": 128}}},
        {"dataset": {"more_resolutions": [128]}},
        {"precision": "bf16"},
        {"gradient_checkpointing": True},
        {"text_encoder_learning_rate": 1e-3},
    ],
)
def test_another_kind_of_step_has_another_time(options, monkeypatch, change):
    timed(options(), [1, 1, 1], monkeypatch).remember()
    assert known_seconds(options(change), MACHINE) is None
    assert known_seconds(options({"epochs": 7, "seed": 3}), MACHINE) == 1
    assert known_seconds(options(), replace(MACHINE, name="other")) is None


def test_a_replaced_model_has_another_time(options, monkeypatch, tmp_path, things):
    model = tmp_path / "model.safetensors"
    model.write_bytes((things / "miniature.safetensors").read_bytes())
    told = options({"model": str(model)})
    timed(told, [1, 1, 1], monkeypatch).remember()
    assert known_seconds(told, MACHINE) == 1
    model.write_bytes(b"shorter")
    assert known_seconds(told, MACHINE) is None


def test_the_machine_is_asked_for_once(options, monkeypatch):
    machine = known_machine()
    assert machine == machine_with(best_device())
    monkeypatch.setattr("lib_trainer.models.precision.machine_with", None)
    assert known_machine() == machine


@pytest.mark.parametrize("damage", ["{", "[]", '{"machine": {"odd": 1}}', '{"seconds": {}}'])
def test_a_damaged_file_is_made_anew(options, damage):
    known_machine()
    told = json.loads(timings_file().read_text(encoding="utf-8"))
    engine = {"engine": told["engine"]} if damage.startswith("{\"") else None
    text = json.dumps({**json.loads(damage), **engine}) if engine else damage
    timings_file().write_text(text, encoding="utf-8")
    assert known_machine() == machine_with(best_device())
    assert known_seconds(options(), MACHINE) is None


def test_another_torch_or_other_cards_are_looked_at_anew(options, monkeypatch):
    known_machine()
    asked = []
    monkeypatch.setattr("lib_trainer.models.precision.machine_with", lambda device: asked.append(device) or MACHINE)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    assert known_machine() == MACHINE
    assert len(asked) == 1


def test_a_file_that_cannot_be_written_harms_no_run(options, monkeypatch, tmp_path):
    (tmp_path / "own").write_text("no folder", encoding="utf-8")
    timed(options(), [1, 1, 1], monkeypatch).remember()
    assert known_machine().kind == best_device().type
