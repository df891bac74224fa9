"""Runs whose pictures differ from time to time: crops, masks, several resolutions, and epochs that get shorter."""

from __future__ import annotations

import numpy
import pytest
from PIL import Image

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.configs import merge  # noqa: E402
from lib_trainer.core.errors import TrainingError  # noqa: E402
from lib_trainer.core.events import Progress, Table  # noqa: E402
from lib_trainer.training.plan import plan  # noqa: E402
from lib_trainer.training.step import Stepper  # noqa: E402
from tests.models.families import CHECKPOINTS  # noqa: E402
from tests.training.runs import equal  # noqa: E402


@pytest.fixture
def varied(things, tmp_path):
    """Options with all of it on: 3 epochs of the 14 showings of 7 pictures in two resolutions."""
    masks = tmp_path / "masks"
    masks.mkdir()
    for path in sorted((things / "pictures").glob("*.png"))[:5]:
        with Image.open(path) as picture:
            values = numpy.zeros((picture.height, picture.width), dtype=numpy.uint8)
        values[: len(values) // 2] = 255
        Image.fromarray(values).save(masks / path.name)
    ratings = tmp_path / "ratings.csv"
    ratings.write_text("0.png,5\n1.png,3\n", encoding="utf-8")
    return {
        "dataset": {
            "flip": 0.5,
            "more_resolutions": [96],
            "crop": {"place": "random", "jitter": 0.2, "variants": 3},
            "masks": {"folder": str(masks), "unmasked_steps": 0.3, "even_areas": True},
            "rating": {"last_epoch": 0.25, "file": str(ratings)},
        },
        "epochs": 3,
        "accumulate": 2,
        "saving": {"every": "1 epoch", "state_every": "1 epoch"},
    }


def test_it_resumes_to_the_bit(runs, varied):
    whole = runs.train(varied, "whole")
    runs.train(varied, "stopped", stop_at=3)
    stopped = runs.train(varied, "stopped")
    assert stopped.losses == whole.losses
    assert equal([stopped.tensors(which) for which in range(3)], [whole.tensors(which) for which in range(3)])


@pytest.mark.parametrize("family", list(CHECKPOINTS))
def test_every_family_is_trained_on_them(runs, varied, family, tmp_path):
    model = CHECKPOINTS[family](tmp_path / f"{family}.safetensors")
    run = runs.train({**varied, "model": str(model), "epochs": 2})
    assert len(run.networks) == 2
    assert len(set(run.losses)) == len(run.losses) == run.result["steps"]


def test_class_pictures_stand_beside_them_unmasked(runs, varied, things, monkeypatch):
    seen = []
    loss = Stepper._loss

    def watched(stepper, batch, number, place):
        seen.append(batch)
        return loss(stepper, batch, number, place)

    monkeypatch.setattr(Stepper, "_loss", watched)
    concept = {"class_folder": str(things / "aside"), "prompt": "a sks cat"}
    told = merge(varied, {"dataset": {"concepts": [concept], "masks": {"unmasked_steps": 0}}, "prior": {"pictures": 0}})
    runs.train({**told, "epochs": 2})
    assert all(batch.prior == batch.to_learn for batch in seen)
    assert all(bool((batch.masks[batch.to_learn :] == 1).all()) for batch in seen)
    assert any(bool((batch.masks[: batch.to_learn] < 1).any()) for batch in seen)
    assert {tuple(batch.mean.shape[2:]) for batch in seen} >= {(8, 8), (12, 12)}


def test_the_plan_says_the_steps_and_files_that_come(runs, varied):
    told = plan(runs.options(varied), runs.run("planned").directory)
    run = runs.train(varied)
    assert (told["pictures"], told["in_epoch"]) == (7, 14)
    assert told["steps"] == run.of(Progress)[-1].total == run.result["steps"] < 3 * told["steps_per_epoch"]
    assert run.result["epochs"] == 3
    networks = [each["name"] for each in told["files"] if each["kind"] == "network"]
    assert networks == [name for _, name in run.saved("network")]
    assert any(remark.startswith("Epochs get shorter") for remark in told["remarks"])
    (table,) = (table for table in runs.run("planned").of(Table) if table.title == "The plan")
    assert ["Steps", f"{told['steps']} ({told['steps_per_epoch']} in the first epoch)"] in table.rows


def test_a_run_whose_masks_or_ratings_were_changed_is_not_gone_on_with(runs, varied, tmp_path):
    def repaint():
        Image.fromarray(numpy.full((64, 64), 200, dtype=numpy.uint8)).save(tmp_path / "masks" / "0.png")

    def rate():
        (tmp_path / "ratings.csv").write_text("0.png,1\n", encoding="utf-8")

    for change in (repaint, rate):
        runs.train(varied, change.__name__, stop_at=2)
        change()
        with pytest.raises(TrainingError, match="belongs to other options, pictures or captions"):
            runs.train(varied, change.__name__)
