"""Every kind of network trains, resumes to the bit, and has the file that the plan said."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.trainables import TRAINABLES  # noqa: E402
from lib_trainer.training.plan import plan  # noqa: E402
from tests.training.runs import equal  # noqa: E402

SMALL = {
    "lora": {"rank": 2, "rank_dropout": 0.2, "module_dropout": 0.2, "max_norm": 0.01, "up_rate_ratio": 4.0,
             "block_ranks": "mid_block=3", "rank_stabilised": True},
    "dora": {"rank": 2, "conv_rank": 2},
    "loha": {"rank": 2, "conv_rank": 2},
    "lokr": {"rank": 1, "convolutions": True},
    "difference": {"convolutions": True},
    "norms": {},
    "hypernetwork": {"activation": "relu", "hidden_dropout": 0.2},
    "textual_inversion": {"token": "mystyle", "vectors": 2},
    "full": {"layers": ["attentions", "layers"]},
}  # fmt: skip


@pytest.mark.parametrize("kind", TRAINABLES.names)
def test_it_learns_resumes_to_the_bit_and_its_file_is_as_large_as_planned(runs, kind):
    told = {
        "trainable": {"type": kind, **SMALL[kind]},
        "dataset": {"trigger": "mystyle"},
        "text_encoder_learning_rate": None if kind in ("norms", "hypernetwork") else 1e-3,
        "saving": {"state_every": "1 epoch"},
    }
    planned = plan(runs.options(told, "whole"), runs.run("planned").directory)
    whole = runs.train(told, "whole")
    runs.train(told, "stopped", stop_at=2)
    stopped = runs.train(told, "stopped")
    assert whole.losses == stopped.losses
    assert equal(whole.tensors(), stopped.tensors())
    started = runs.open(told, "new").network.tensors()
    assert not equal({name: started[name] for name in sorted(started)}, whole.tensors())
    (network,) = [file for file in planned["files"] if file["kind"] == "network"]
    size = whole.networks[-1].stat().st_size
    assert network["bytes"] == pytest.approx(size, abs=64, rel=0.005 if whole.networks[-1].suffix == ".pt" else 0)


def test_learning_rates_of_groups_follow_their_parts_and_the_norm_is_limited_after_each_step(runs):
    told = {"trainable": {"rank": 2, "up_rate_ratio": 4.0, "max_norm": 0.001}, "learning_rate": 1e-2,
            "text_encoder_learning_rate": 1e-3}
    run = runs.train(told)
    session = runs.open(told, "other")
    assert session.group_rates == [("unet", 1e-2), ("unet", 4e-2), ("text_encoder", 1e-3), ("text_encoder", 4e-3)]
    tensors = run.tensors()
    norms = [
        float((tensors[name.replace("lora_down", "lora_up")].flatten(1) @ tensor.flatten(1)).norm())
        for name, tensor in tensors.items() if name.endswith("lora_down.weight")
    ]
    assert max(norms) == pytest.approx(0.001, rel=1e-2)
