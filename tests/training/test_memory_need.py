"""The estimate of memory is near what was measured."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.configs import load  # noqa: E402
from lib_trainer.models.checkpoints import read_outline  # noqa: E402
from lib_trainer.training.memory_need import memory_need  # noqa: E402
from lib_trainer.training.options import TrainingOptions  # noqa: E402
from tests.models.miniature import FULL, hollow_checkpoint  # noqa: E402


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    return hollow_checkpoint(tmp_path_factory.mktemp("full") / "full.safetensors", FULL)


def need(full, resolution, precision, kind="cpu", rank=8, **changes):
    config = {
        "model": str(full),
        "dataset": {"folder": "/p", "buckets": {"resolution": resolution}},
        "trainable": {"rank": rank},
        **changes,
    }
    options, model = load(TrainingOptions, config), read_outline(full)
    network = options.trainable.outline(model, list(options.learning_rates), False)
    return memory_need(options, model, network, (precision, precision), kind)


# Peak memory of the engine's process in bytes, benchmarks/train_step.py with Stable Diffusion 1's sizes on a CPU.
@pytest.mark.parametrize(
    ("measured", "resolution", "precision", "changes"),
    [
        (4_922_761_216, 256, "fp32", {}),
        (2_878_255_104, 256, "bf16", {}),
        (3_470_315_520, 512, "bf16", {}),
        (3_081_048_064, 512, "bf16", {"gradient_checkpointing": True}),
        (6_215_618_560, 512, "fp32", {}),
        (3_595_280_384, 256, "bf16", {"batch_size": 4}),
        (2_820_386_816, 256, "bf16", {"text_encoder_learning_rate": 0}),
        (4_002_234_368, 512, "bf16", {"rank": 64}),
        (5_557_727_232, 512, "fp32", {"gradient_checkpointing": True}),
    ],
)
def test_the_estimate_is_near_what_was_measured(full, measured, resolution, precision, changes):
    assert need(full, resolution, precision, **changes).whole == pytest.approx(measured, rel=0.04)


def test_with_several_resolutions_the_largest_needs_the_memory(full):
    several = {"folder": "/p", "buckets": {"resolution": 256}, "more_resolutions": [512]}
    assert need(full, 256, "bf16", dataset=several) == need(full, 512, "bf16")


def test_the_untouched_model_that_answers_beside_a_model_in_training_is_counted(full):
    concepts = {"folder": "/p", "buckets": {"resolution": 256}, "concepts": [{"class_prompt": "a dog"}]}
    told = {"dataset": concepts, "trainable": {"type": "full"}, "learning_rate": 1e-6}
    pictures = need(full, 256, "fp32", prior={"kind": "pictures"}, **told)
    prediction = need(full, 256, "fp32", prior={"kind": "prediction"}, **told)
    weights = 859_520_964 + 123_060_480 - 49_408 * 768  # the U-Net's, the text encoder's, but not its table of words
    assert prediction.trained - pictures.trained == 4 * weights


@pytest.mark.parametrize("kind", ["pictures", "prediction"])
def test_what_is_shown_of_classes_needs_as_much_memory_as_what_is_learned(full, kind):
    concepts = {"folder": "/p", "buckets": {"resolution": 512}, "concepts": [{"class_prompt": "a dog"}]}
    kept = need(full, 512, "bf16", batch_size=2, dataset=concepts, prior={"kind": kind})
    assert kept == need(full, 512, "bf16", batch_size=4)
    assert need(full, 512, "bf16", dataset=concepts, prior={"weight": 0}) == need(full, 512, "bf16")


def test_on_a_graphics_card_the_pictures_need_what_was_counted(full):
    assert need(full, 512, "bf16", "cuda").pictures == pytest.approx(0.94e9, rel=0.02)
    assert need(full, 512, "bf16", "cuda", gradient_checkpointing=True).pictures == pytest.approx(0.25e9, rel=0.05)


def test_weights_kept_in_another_format_than_the_arithmetic_need_its_room(full):
    options = load(TrainingOptions, {"model": str(full), "dataset": {"folder": "/p"}})
    model = read_outline(full)
    network = options.trainable.outline(model, ["unet"], False)
    kept, mixed = (memory_need(options, model, network, ("bf16", frozen), "cuda") for frozen in ("bf16", "fp32"))
    assert mixed.model == pytest.approx(2 * kept.model, rel=0.05)
    assert mixed.pictures == kept.pictures


def test_the_sentence_says_what_it_is_for_and_where(full):
    said = need(full, 512, "bf16").said("cpu")
    assert said.startswith("About 3.5 GB of memory: 2.0 GB for the model")
    assert "An estimate" in said
    assert "on the graphics card" in need(full, 512, "bf16").said("cuda")


def test_of_a_model_that_is_trained_itself_the_weights_count_once(full):
    """Beside 4 bytes of each weight: 4 of its gradient and 8 of AdamW's; 859.5 million weights of the U-Net."""
    found = need(full, 256, "fp32", rank=None, trainable="full", text_encoder_learning_rate=0)
    assert found.trained == pytest.approx(12 * 859.52e6, rel=1e-3)
    assert found.model == pytest.approx(4 * (859.52e6 + 123.06e6), rel=0.05)
