"""What a plan says of concepts and their classes, and what a network's file and the terminal tell of them."""

from __future__ import annotations

import io

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from safetensors import safe_open  # noqa: E402

from lib_trainer.core.errors import ConfigError, DataError  # noqa: E402
from lib_trainer.core.events import Loss, Progress  # noqa: E402
from lib_trainer.models.machine import Machine  # noqa: E402
from lib_trainer.terminal import Terminal  # noqa: E402
from lib_trainer.training.plan import plan  # noqa: E402
from lib_trainer.training.timings import timing_key  # noqa: E402


def planned(runs, concept, **prior):
    changes = {"dataset": {"concepts": [concept]}, "prior": {"pictures": 7, **prior}}
    return plan(runs.options(changes), runs.run().directory)


def test_a_plan_says_how_many_class_pictures_are_drawn_first(runs):
    remarks = planned(runs, {"class_prompt": "a cat"})["remarks"]
    assert any(remark.startswith("Before the training 7 class pictures of 'a cat' are drawn") for remark in remarks)
    without = planned(runs, {"class_prompt": "a cat"}, kind="prediction")["remarks"]
    assert not any("class pictures" in remark for remark in without)


def test_a_plan_says_that_a_class_is_not_kept_without_a_weight(runs):
    remarks = planned(runs, {"class_prompt": "a cat"}, weight=0)["remarks"]
    assert any("'prior.weight' is 0" in remark for remark in remarks)


def test_a_plan_refuses_what_the_training_would(runs, tmp_path, things):
    with pytest.raises(DataError, match="There is no class picture of concept 1 in any folder"):
        planned(runs, {"class_prompt": "a cat"}, pictures=0)
    link = tmp_path / "link"
    link.symlink_to(things / "pictures", target_is_directory=True)
    with pytest.raises(ConfigError, match="is the folder of the pictures to learn as well"):
        planned(runs, {"class_folder": str(link)})


def test_a_step_with_classes_has_a_time_of_its_own(runs):
    machine, concept = Machine("cpu", "small", False, 0), {"dataset": {"concepts": [{"class_prompt": "a cat"}]}}
    keys = {timing_key(runs.options({**concept, "prior": prior}), machine)
            for prior in ({}, {"kind": "prediction"}, {"weight": 0})}  # fmt: skip
    assert len(keys) == 3
    assert timing_key(runs.options({}), machine) in keys


def test_a_networks_file_tells_the_weight_of_the_prior_as_kohyas_does(runs):
    concept = {"dataset": {"concepts": [{"class_prompt": "a cat"}]}, "max_steps": 1}
    run = runs.train({**concept, "prior": {"kind": "prediction", "weight": 0.7}})
    with safe_open(run.networks[0], "pt") as file:
        assert file.metadata()["ss_prior_loss_weight"] == "0.7"


def test_the_terminal_shows_both_losses():
    stream = io.StringIO()
    terminal = Terminal(stream)
    terminal.show(Loss(1, 0, 0.25, {}, 0.125, 0.5))
    terminal.show(Progress("Training", 1, 1, "steps"))
    assert "loss 0.2500 + 0.5 x 0.1250" in stream.getvalue()


def test_a_class_prompt_with_a_number_that_is_none_is_named_before_anything_starts(runs):
    changes = {"text": {"reading": "webui"}, "dataset": {"concepts": [{"class_prompt": "a (cat:1.2.3)"}]}}
    with pytest.raises(ConfigError, match="cat"):
        plan(runs.options(changes), runs.run().directory)
