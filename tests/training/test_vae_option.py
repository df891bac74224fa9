"""Training with another VAE."""

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from safetensors import safe_open  # noqa: E402

from lib_trainer.core.errors import ModelError  # noqa: E402
from lib_trainer.training.plan import plan  # noqa: E402


@pytest.mark.option("TrainingOptions.vae")
def test_latents_are_made_by_the_vae_that_is_told_and_the_file_names_it(runs, things, tmp_path):
    from tests.models.miniature import miniature_checkpoint

    other = miniature_checkpoint(tmp_path / "other.safetensors", seed=1)
    own, told = runs.train({"max_steps": 1}, "own"), runs.train({"max_steps": 1, "vae": str(other)}, "told")
    assert own.losses != told.losses
    with safe_open(told.networks[0], "pt") as file, safe_open(own.networks[0], "pt") as plain:
        assert file.metadata()["ss_vae_name"] == "other.safetensors" and "ss_vae_name" not in plain.metadata()


def test_the_plan_refuses_what_is_no_vae(runs, tmp_path):
    torch.save({"a": torch.zeros(1)}, tmp_path / "a.pt")
    with pytest.raises(ModelError, match=r"a\.pt is no VAE"):
        plan(runs.options({"vae": str(tmp_path / "a.pt")}), runs.run().directory)
