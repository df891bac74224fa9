"""The contract of the tables: whatever can be trained, on each family, keeps to what a run promises."""

from __future__ import annotations

from dataclasses import fields

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import ConfigError  # noqa: E402
from lib_trainer.models.families import FAMILIES  # noqa: E402
from lib_trainer.models.loading import load_model  # noqa: E402
from lib_trainer.models.sampling import SampleRequest, sample  # noqa: E402
from lib_trainer.trainables import TRAINABLES  # noqa: E402
from lib_trainer.training.outputs import identity, save_network  # noqa: E402
from lib_trainer.training.plan import plan  # noqa: E402
from lib_trainer.training.states import Place  # noqa: E402
from lib_trainer.training.step import Stepper  # noqa: E402
from lib_trainer.weights.networks import check_matches, open_network  # noqa: E402
from tests.models.families import CHECKPOINTS  # noqa: E402
from tests.models.miniature import miniature_checkpoint  # noqa: E402
from tests.training.runs import equal  # noqa: E402

MODELS = {"sd1": miniature_checkpoint, **CHECKPOINTS}
# Their layers are LoRA's own in all but their mathematics: on one family each time, on all where there is time.
KIN = ("dora", "loha", "lokr", "difference", "norms")
PAIRS = [
    pytest.param(kind, family, marks=[pytest.mark.slow] if kind in KIN and family != "sd1" else [])
    for kind, entry in TRAINABLES
    for family in FAMILIES
    if family in entry.families
]
OTHERS = [(kind, family) for kind, entry in TRAINABLES for family in FAMILIES if family not in entry.families]
SIZES = {"rank": 2, "conv_rank": 2, "convolutions": True}
# What a kind needs besides, or does not have.
TOLD = {
    **{kind: {"text_encoder_learning_rate": 0} for kind in ("norms", "hypernetwork")},
    "textual_inversion": {
        "trainable": {"type": "textual_inversion", "token": "cat", "vectors": 2},
        "dataset": {"trigger": "cat"},
    },
}
REQUEST = SampleRequest(("a red cat",), (1,), steps=2, cfg_scale=1.0, width=64, height=64)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return {family: make(folder / f"{family}.safetensors") for family, make in MODELS.items()}


def told(kind, model, things):
    """Options of a run of three steps with all parts trained that can be, and pictures kept aside."""
    known = {field.name for field in fields(TRAINABLES[kind])}
    return {
        "model": str(model),
        "trainable": {"type": kind, **{name: size for name, size in SIZES.items() if name in known}},
        "learning_rate": 1e-2,
        "text_encoder_learning_rate": 1e-2,
        "max_steps": 3,
        "validation": {"folder": str(things / "aside"), "timesteps": 1, "every": "3 steps"},
        **TOLD.get(kind, {}),
    }


def latents_of(model):
    """What the model draws before the VAE makes a picture of it."""
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model, "decode_latents", lambda latents: (seen.append(latents.clone()), latents[:, :3])[1])
        sample(model, REQUEST)
    return seen[0]


def test_each_family_has_a_small_model_here():
    assert MODELS.keys() == FAMILIES.keys()


@pytest.mark.parametrize(("kind", "family"), PAIRS)
def test_it_learns_resumes_to_the_bit_and_its_file_draws_what_memory_draws(
    runs, models, things, kind, family
):
    options = told(kind, models[family], things)
    session = runs.open(options, "whole")
    before = latents_of(session.model)
    stepper = Stepper(session)
    batches = [session.dataset.load(planned, 0) for planned in session.dataset.batches(0)[:3]]
    losses = [stepper.step(step, [batch]) for step, batch in enumerate(batches)]
    chosen = identity(session.run, session.options.saving.folder, "net")
    path = save_network(session, chosen, Place(step=3, batch=3), None)
    from_memory = latents_of(session.model)
    assert (from_memory - before).abs().max() > 1e-3

    again = load_model(models[family], torch.float32, torch.device("cpu"))
    network = open_network(again, path)
    if TRAINABLES[kind].output == "lora":
        check_matches(again, path, network)
        assert network.matched == session.network.matched
    assert (latents_of(again) - from_memory).abs().max() < 1e-4

    runs.train(options, "parts", stop_at=2)
    parts = runs.train(options, "parts")
    assert "Going on after step 2 of 3" in parts.messages
    assert parts.losses == losses and parts.held_out[-1] != parts.held_out[0]
    assert equal(parts.tensors(), runs.run("whole").tensors())


def refused(runs, options, match):
    """Whether both the plan and the training refuse these options, and say so."""
    loaded = runs.options(options)
    for begin in (lambda: plan(loaded, runs.run().directory), lambda: runs.open(options)):
        with pytest.raises(ConfigError, match=match):
            begin()
    return True


@pytest.mark.parametrize(("kind", "family"), OTHERS)
def test_other_pairs_are_refused_before_anything_starts(runs, models, things, kind, family):
    match = f"'trainable' is {kind}.*{family}.safetensors.*choose one of"
    assert refused(runs, told(kind, models[family], things), match)


def test_the_refusal_says_what_the_kind_works_on_and_what_works_on_the_model(runs, models, things, monkeypatch):
    monkeypatch.setattr(TRAINABLES["norms"], "families", ("sd1", "sd2"))
    match = r"norms, which works with SD1 and SD2 models, but sdxl\.safetensors is SDXL; choose one of lora, dora"
    assert refused(runs, told("norms", models["sdxl"], things), match)


@pytest.mark.parametrize("kind", [kind for kind, entry in TRAINABLES if "start_from" in entry.__dataclass_fields__])
def test_a_network_of_another_family_to_start_from_is_refused_before_anything_starts(
    runs, models, things, kind, tmp_path
):
    from safetensors.torch import save_file

    path = tmp_path / "first.safetensors"
    save_file({"any": torch.zeros(1)}, path, {"ss_base_model_version": "sdxl_base_v1-0"})
    options = told(kind, models["sd1"], things)
    options["trainable"]["start_from"] = str(path)
    assert refused(runs, options, r"'trainable\.start_from' is .*first\.safetensors: it was made for SDXL")
