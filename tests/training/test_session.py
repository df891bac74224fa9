"""What a run works with: precision, trained parts, the text they see, memory saved."""

from __future__ import annotations

import dataclasses

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import ConfigError, ModelError  # noqa: E402
from lib_trainer.core.events import Loss, Progress  # noqa: E402
from lib_trainer.models import precision as precisions  # noqa: E402
from lib_trainer.models.prompt import PromptReader  # noqa: E402
from lib_trainer.models.text_options import TextOptions  # noqa: E402
from lib_trainer.trainables.lora import Lora  # noqa: E402
from lib_trainer.training.plan import plan  # noqa: E402
from tests.training.runs import equal  # noqa: E402
from tests.training.test_step import alike, gradients_of_step, stir, windows  # noqa: E402

READINGS = ("webui", "plain")
BOTH_PARTS = {"text_encoder_learning_rate": 1e-3}


def answer_dtype(session):
    batch = windows(session)[0][0]
    return session.denoise(batch.mean, torch.zeros(len(batch.paths), dtype=torch.int64), batch.captions).dtype


@pytest.mark.option("TrainingOptions.precision", "TrainingOptions.frozen_precision")
@pytest.mark.parametrize(
    ("precision", "frozen", "arithmetic", "weights"),
    [
        ("fp32", "auto", torch.float32, torch.float32),
        ("fp32", "fp32", torch.float32, torch.float32),
        ("bf16", "auto", torch.bfloat16, torch.bfloat16),
        ("bf16", "bf16", torch.bfloat16, torch.bfloat16),
        ("bf16", "fp32", torch.bfloat16, torch.float32),
    ],
)
def test_arithmetic_and_frozen_weights_have_the_formats_they_are_told(runs, precision, frozen, arithmetic, weights):
    session = runs.open({"precision": precision, "frozen_precision": frozen, **BOTH_PARTS})
    frozen_weights = [item for part in session.model.parts.values() for item in part.named_parameters()]
    # The table of tokens is only looked up in; it stays as it is stored.
    assert {tensor.dtype for name, tensor in frozen_weights if "token_embedding" not in name} == {weights}
    assert {tensor.dtype for tensor in session.parameters} == {torch.float32}
    assert answer_dtype(session) == arithmetic
    stir(session)
    loss, gradients = gradients_of_step(session, windows(session)[0])
    assert 0.5 < loss < 3
    assert {tensor.dtype for tensor in gradients} == {torch.float32}
    assert all(tensor.abs().sum() > 0 for tensor in gradients)


@pytest.mark.option("TrainingOptions.precision")
@pytest.mark.parametrize(
    ("bf16", "fewest", "wanted"), [(True, 0, torch.bfloat16), (False, 0, torch.float32), (True, 10**9, torch.float32)]
)
def test_auto_takes_bf16_where_the_processor_has_it_and_the_model_is_large(runs, monkeypatch, bf16, fewest, wanted):
    monkeypatch.setattr(precisions.torch.cpu, "_is_avx512_bf16_supported", lambda: bf16)
    monkeypatch.setattr("lib_trainer.models.machine.FEWEST_FOR_BF16", fewest)
    session = runs.open({"precision": "auto"})
    assert (session.model.dtype, answer_dtype(session)) == (wanted, wanted)


@pytest.mark.parametrize(
    ("precision", "frozen", "said"),
    [
        ("fp16", "auto", "'precision' is 'fp16', which needs a GPU"),
        ("fp16", "fp32", "'precision' is 'fp16', which needs a GPU"),
        ("fp32", "bf16", "'frozen_precision' is 'bf16' with fp32 arithmetic; it must be 'fp32' or the same"),
        ("fp32", "fp16", "'frozen_precision' is 'fp16' with fp32 arithmetic; it must be 'fp32' or the same"),
        ("bf16", "fp16", "'frozen_precision' is 'fp16' with bf16 arithmetic; it must be 'fp32' or the same"),
    ],
)
def test_formats_that_do_not_go_together_are_refused(runs, precision, frozen, said):
    with pytest.raises(ConfigError, match=said):
        runs.open({"precision": precision, "frozen_precision": frozen})


def forward_counts(session, kinds):
    """How often modules of these classes run forward in one step."""
    counts = dict.fromkeys(kinds, 0)

    def count(module, *_):
        counts[type(module).__name__] += 1

    for part in session.model.parts.values():
        for module in part.modules():
            if type(module).__name__ in kinds:
                module.register_forward_pre_hook(count)  # a recomputation may end within
    return counts


@pytest.mark.option("TrainingOptions.gradient_checkpointing")
@pytest.mark.parametrize("extra", [{}, {"trainable": {"dropout": 0.5, "conv_rank": 2}}])
def test_checkpointing_computes_twice_and_gives_the_same_gradients(runs, extra):
    found = []
    for checkpointing in (False, True):
        session = runs.open({"gradient_checkpointing": checkpointing, **BOTH_PARTS, **extra}, str(checkpointing))
        stir(session)
        counts = forward_counts(session, ("ResnetBlock2D", "BasicTransformerBlock", "CLIPEncoderLayer"))
        torch.manual_seed(0)
        found.append((*gradients_of_step(session, windows(session)[0]), counts))
    (loss, plain, once), (same_loss, saving, twice) = found
    assert loss == same_loss
    assert alike(plain, saving)
    assert once.pop("ResnetBlock2D") * 1.5 < twice.pop("ResnetBlock2D")  # diffusers leaves out the middle's first
    assert twice == {kind: 2 * count for kind, count in once.items()}
    assert all(once.values())


def texts_seen(session):
    """The text that reaches the U-Net in one step."""
    seen = []
    predict = session.model.predict

    def seeing(noisy, timesteps, text, *further):
        seen.append(text.detach())
        return predict(noisy, timesteps, text, *further)

    session.model.predict = seeing
    window = windows(session)[0]
    gradients_of_step(session, window)
    return seen[0], window[0].captions


@pytest.mark.option("TrainingOptions.clip_skip")
@pytest.mark.parametrize("rate", [0, 1e-3])
def test_the_layer_of_clip_skip_is_what_the_unet_sees_whether_the_text_encoder_is_trained_or_not(runs, rate):
    session = runs.open({"clip_skip": 2, "text_encoder_learning_rate": rate})
    seen, captions = texts_seen(session)
    with torch.no_grad():
        wanted, last = (session.model.encode_text(session.model.tokenize(captions), skip) for skip in (2, 1))
    assert torch.allclose(seen, wanted, atol=1e-5)
    assert not torch.allclose(seen, last, atol=1e-2)


@pytest.mark.option("TextOptions.reading")
@pytest.mark.parametrize("rate", [0, 1e-3])
def test_the_unet_sees_captions_as_they_are_to_be_read_whether_the_text_encoder_is_trained_or_not(runs, rate):
    changes = {"text_encoder_learning_rate": rate, "dataset": {"trigger": "(red:1.5)"}}
    session = runs.open({**changes, "text": {"reading": "webui"}})
    seen, captions = texts_seen(session)
    assert all(caption.startswith("(red:1.5)") for caption in captions)
    with torch.no_grad():
        wanted, plain = (PromptReader(session.model, 1, TextOptions(reading)).encode(captions) for reading in READINGS)
    assert torch.allclose(seen, wanted, atol=1e-4, rtol=1e-3)
    assert not torch.allclose(seen, plain, atol=1e-2)


def test_brackets_that_cant_be_read_are_named_before_training_starts(runs):
    wanted = r"'1\.2\.3' in '\(a:1\.2\.3\)' is no number"
    told = {"text": {"reading": "webui"}, "dataset": {"trigger": "(a:1.2.3)"}}
    previews = {"previews": {"prompts": ["(a:1.2.3)"]}}
    for changes in (told, previews):
        for start in (runs.open, lambda changes: plan(runs.options(changes), runs.run("planned").directory)):
            with pytest.raises(ConfigError, match=wanted):
                start(changes)


def test_what_cant_be_trained_on_the_models_family_is_refused_with_what_can(runs, monkeypatch):
    monkeypatch.setattr(Lora, "families", ("sd2", "sdxl"))
    wanted = r"'trainable' is lora, which works with SD2 and SDXL models, but miniature\.safetensors is SD1; "
    for start in (runs.train, lambda: plan(runs.options({}), runs.run("planned").directory)):
        with pytest.raises(ConfigError, match=wanted + "choose one of (?!lora).*norms.*, or another model"):
            start()


def test_a_clip_skip_beyond_the_layers_is_refused_before_training(runs):
    for rate in (0, 1e-3):
        with pytest.raises(ModelError, match="Clip skip 3 is impossible"):
            runs.train({"clip_skip": 3, "text_encoder_learning_rate": rate})


@pytest.mark.option("TrainingOptions.learning_rate", "TrainingOptions.text_encoder_learning_rate")
@pytest.mark.parametrize(
    ("unet", "text", "rates"),
    [
        (1e-3, None, {"unet": 1e-3, "text_encoder": 1e-3}),
        (1e-3, 2e-4, {"unet": 1e-3, "text_encoder": 2e-4}),
        (1e-3, 0, {"unet": 1e-3}),
        (0, 2e-4, {"text_encoder": 2e-4}),
    ],
)
def test_each_part_learns_at_its_own_rate_and_not_at_all_at_zero(runs, unet, text, rates):
    run = runs.train({"learning_rate": unet, "text_encoder_learning_rate": text, "max_steps": 1})
    (event,) = run.of(Loss)
    assert event.learning_rates == rates
    # Adam's first step is as large as the rate, and B starts at zero.
    moved = {"unet": 0.0, "text_encoder": 0.0}
    for name, tensor in run.tensors().items():
        if name.endswith("lora_up.weight"):
            part = "unet" if name.startswith("lora_unet_") else "text_encoder"
            moved[part] = max(moved[part], tensor.abs().max().item())
    assert moved == {part: pytest.approx(rates.get(part, 0), rel=1e-2) for part in moved}
    assert any(name.startswith("lora_te_") for name in run.tensors()) == ("text_encoder" in rates)


def test_two_rates_of_zero_are_refused(runs):
    for text in (None, 0):
        with pytest.raises(ConfigError, match="'learning_rate' is 0 and so is the text encoder's"):
            runs.options({"learning_rate": 0, "text_encoder_learning_rate": text})


@pytest.mark.option("TrainingOptions.optimizer")
def test_the_optimizer_is_the_one_that_was_chosen_with_its_options(runs):
    told = {"type": "adamw", "weight_decay": 0.3, "beta1": 0.5, "beta2": 0.7, "epsilon": 1e-4}
    (group,) = runs.open({"optimizer": told}).optimizer.param_groups
    assert (group["weight_decay"], group["betas"], group["eps"]) == (0.3, (0.5, 0.7), 1e-4)


@pytest.mark.option("TrainingOptions.seed")
def test_the_seed_decides_the_first_weights_the_order_and_the_noise(runs):
    one, same, other = (runs.open({"seed": seed}, name) for seed, name in ((1, "a"), (1, "b"), (2, "c")))
    assert equal(one.network.tensors(), same.network.tensors())
    assert not equal(one.network.tensors(), other.network.tensors())
    assert one.dataset.batches(0) == same.dataset.batches(0) != other.dataset.batches(0)
    window = windows(one)[0]
    losses = [gradients_of_step(session, window)[0] for session in (one, same, other)]
    assert losses[0] == losses[1] != losses[2]


def test_a_side_of_previews_that_the_model_can_not_draw_is_refused_before_anything_is_encoded(runs):
    for side in ("width", "height"):
        with pytest.raises(ConfigError, match=f"'previews.{side}' is 100; this model needs a multiple of 8 px"):
            runs.open({"previews": {"prompts": ["a"], side: 100}})
    assert runs.run().of(Progress) == []


def test_the_number_of_steps_of_a_run_is_known_beforehand(runs):
    session = runs.open({"epochs": 3, "accumulate": 3})
    assert session.total_steps == 6
    session.options = dataclasses.replace(session.options, max_steps=5)
    assert session.total_steps == 5
    session.options = dataclasses.replace(session.options, max_steps=50)
    assert session.total_steps == 6
