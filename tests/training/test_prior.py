"""The prior loss: what it adds to a step, how its weight falls, and what it is measured against."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.configs import merge  # noqa: E402
from lib_trainer.core.errors import ConfigError  # noqa: E402
from lib_trainer.core.events import Loss  # noqa: E402
from lib_trainer.training.diffusion import add_noise  # noqa: E402
from lib_trainer.training.length import Length  # noqa: E402
from lib_trainer.training.prior import hold_on, prior_weight  # noqa: E402
from lib_trainer.training.prior_options import PriorOptions  # noqa: E402
from lib_trainer.training.randomness import generator  # noqa: E402
from lib_trainer.training.step import Stepper  # noqa: E402
from tests.training.runs import equal  # noqa: E402

PICTURES = {
    "dataset": {"concepts": [{"prompt": "a sks cat", "class_prompt": "a cat"}]},
    "prior": {"pictures": 3, "steps": 1, "cfg_scale": 1},
    "max_grad_norm": None,
}
PREDICTION = merge(PICTURES, {"prior": {"kind": "prediction"}})


def stir(session):
    """Fill B, so that the model is another one than at first and both matrices have gradients."""
    random = torch.Generator().manual_seed(0)
    for tensor in session.parameters:
        tensor.data.copy_(torch.randn(tensor.shape, generator=random) * 0.1)


def first_batch(session):
    return session.dataset.load(session.dataset.batches(0)[0], 0)


def stepped(runs, changes, name):
    """The loss and the gradients of the first batch's step, and the stepper."""
    session = runs.open(changes, name)
    stir(session)
    stepper, found = Stepper(session), []
    session.optimizer.step = lambda: found.extend(tensor.grad.clone() for tensor in session.parameters)
    loss = stepper.step(0, [first_batch(session)])
    return loss, found, stepper


def prior_by_hand(session, targets=None):
    """The mean squared error on the class pictures alone, under the noise that they have in the first step."""
    batch = first_batch(session)
    kept = slice(batch.to_learn, None)
    random = generator(session.options.seed, "prior", 0, 0)
    latents = batch.mean[kept] + batch.std[kept] * torch.randn(batch.mean[kept].shape, generator=random)
    noise = torch.randn(latents.shape, generator=random)
    timesteps = torch.randint(0, 1000, (len(latents),), generator=random)
    noisy = add_noise(latents, noise, session.model.alphas_cumprod[timesteps])
    frames, captions = batch.frames[kept], batch.captions[kept]
    with torch.no_grad():
        session.network.set_strength(0)
        untouched = session.denoise(noisy, timesteps, captions, frames)
        session.network.set_strength(1)
    wanted = untouched if targets == "untouched" else noise
    return torch.nn.functional.mse_loss(session.denoise(noisy, timesteps, captions, frames), wanted)


def alike(ours, theirs):
    return all(torch.allclose(one, other, rtol=1e-4, atol=1e-7) for one, other in zip(ours, theirs, strict=True))


@pytest.mark.option("PriorOptions.weight", "PriorOptions.kind", "ConceptOptions.class_prompt")
@pytest.mark.parametrize(
    ("kind", "targets", "weight"), [(PICTURES, "noise", 1.0), (PICTURES, "noise", 0.3), (PREDICTION, "untouched", 1.0)]
)
def test_the_gradient_differs_from_that_without_a_prior_by_exactly_the_priors(runs, kind, targets, weight):
    alone, without, _ = stepped(runs, merge(kind, {"prior": {"weight": 0}}), "without")
    loss, found, stepper = stepped(runs, merge(kind, {"prior": {"weight": weight}}), "with")
    session = stepper.session
    prior = prior_by_hand(session, targets)
    added = [weight * gradient for gradient in torch.autograd.grad(prior, session.parameters)]
    assert all(bool(gradient.any()) for gradient in added)
    assert alike(found, [one + more for one, more in zip(without, added, strict=True)])
    assert loss == alone
    assert stepper.prior.value == pytest.approx(float(prior.detach()), rel=1e-5)
    assert stepper.prior.weight == weight


def test_without_a_class_nothing_changes(runs):
    plain = {"dataset": {"captions": {"prompt": "a sks cat"}}}
    concept = {"dataset": {"concepts": [{"prompt": "a sks cat"}]}}
    assert equal(runs.train(plain, "plain").tensors(), runs.train(concept, "concept").tensors())


def test_the_untouched_models_answer_is_held_on_to(runs):
    """At first the network adds nothing: there is nothing to hold on to yet, and later there is."""
    run = runs.train(merge(PREDICTION, {"epochs": 2}))
    told = [event.prior for event in run.of(Loss)]
    assert told[0] < 1e-10 < min(told[1:])


@pytest.mark.parametrize("kind", [PICTURES, PREDICTION])
def test_each_step_tells_the_loss_of_the_classes_and_its_weight(runs, kind):
    changes = merge(kind, {"prior": {"weight": 0.8, "final_weight": 0.2}})
    weights = [event.prior_weight for event in runs.train(changes).of(Loss)]
    assert weights == pytest.approx([0.8, 0.6, 0.4, 0.2])


@pytest.mark.option("PriorOptions.final_weight", "PriorOptions.falling_epochs")
@pytest.mark.parametrize(("told", "expected"), [
    (PriorOptions(weight=0.5), [0.5] * 7),
    (PriorOptions(weight=1.0, final_weight=0.4), [1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4]),
    (PriorOptions(weight=1.0, final_weight=0.4, falling_epochs=1), [1, 0.7, 0.4, 0.4, 0.4, 0.4, 0.4]),
    (PriorOptions(weight=1.0, final_weight=0.4, falling_epochs=99), [1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4]),
])  # fmt: skip
def test_the_weight_falls_evenly_to_its_last(told, expected):
    assert [prior_weight(told, step, Length(2, 7)) for step in range(7)] == pytest.approx(expected)


def test_a_run_of_one_step_has_the_whole_weight():
    assert prior_weight(PriorOptions(weight=1.0, final_weight=0.4), 0, Length(1, 1)) == 1


def test_a_weight_that_would_rise_is_refused():
    with pytest.raises(ConfigError, match="'final_weight' is 2, more than the weight, 1"):
        PriorOptions(weight=1.0, final_weight=2.0)


def test_a_class_without_words_has_no_prediction(runs, tmp_path):
    with pytest.raises(ConfigError, match=r"'dataset.concepts.1.class_prompt' is empty; 'prior.kind' is 'prediction'"):
        runs.options({"dataset": {"concepts": [{"class_folder": str(tmp_path)}]}, "prior": {"kind": "prediction"}})


def test_the_text_encoder_that_is_trained_is_untouched_too_in_what_is_held_on_to(runs):
    session = runs.open(merge(PREDICTION, {"text_encoder_learning_rate": 1e-3}))
    stir(session)
    expected = prior_by_hand(session, "untouched")
    stepper = Stepper(session)
    stepper.step(0, [first_batch(session)])
    assert stepper.prior.value == pytest.approx(float(expected.detach()), rel=1e-5)


@pytest.mark.parametrize(("kind", "stop"), [(PICTURES, 4), (PICTURES, 6), (PREDICTION, 1)])
def test_a_run_with_a_prior_resumes_to_the_bit(runs, kind, stop):
    changes = merge(kind, {
        "epochs": 2, "dataset": {"flip": 0.5, "shuffle_tags": True}, "prior": {"final_weight": 0.1},
        "saving": {"state_every": "1 epoch"},
    })  # fmt: skip
    whole = runs.train(changes, "whole")
    runs.train(changes, "stopped", stop_at=stop)
    stopped = runs.train(changes, "stopped")
    assert stopped.losses == whole.losses
    assert equal(stopped.tensors(), whole.tensors())
    assert [event.prior for event in stopped.of(Loss)] == [event.prior for event in whole.of(Loss)]


def test_several_batches_of_a_step_count_by_what_is_learned(runs):
    """Accumulated or at once: the class pictures weigh as much beside the pictures to learn."""
    session = runs.open(merge(PICTURES, {"accumulate": 2, "dataset": {"buckets": {"square": True}}}))
    stir(session)
    window = [session.dataset.load(plan, 0) for plan in session.dataset.batches(0)[:2]]
    losses = [Stepper(session)._loss(batch, 0, place).detach() for place, batch in enumerate(window)]
    stepper = Stepper(session)
    loss = stepper.step(0, window)
    own = torch.cat([part[: batch.to_learn] for part, batch in zip(losses, window, strict=True)])
    kept = torch.cat([part[batch.to_learn :] for part, batch in zip(losses, window, strict=True)])
    assert loss == pytest.approx(float(own.mean()), rel=1e-5)
    assert stepper.prior.value == pytest.approx(float(kept.mean()), rel=1e-5)


def test_an_error_on_the_way_leaves_the_network_at_its_strength(runs):
    session = runs.open(PREDICTION)
    stir(session)
    batch = first_batch(session)
    times = torch.zeros(len(batch.captions), dtype=torch.long)
    expected = session.denoise(batch.mean, times, batch.captions)

    def broken(*told):
        raise RuntimeError("no memory")

    session.denoise = broken
    with pytest.raises(RuntimeError):
        hold_on(session, batch, batch.mean, times, batch.mean)
    del session.denoise
    assert torch.equal(session.denoise(batch.mean, times, batch.captions), expected)


def test_a_short_class_prompt_is_held_on_to_as_it_is_shown_beside_a_long_caption(runs):
    """Read as the WebUI does, both have as many windows; at first the model is untouched, and both answers are one."""
    long = ", ".join(["a very red cat"] * 30)
    concept = {"dataset": {"captions": {"source": "prompt"}, "concepts": [{"prompt": long, "class_prompt": "a cat"}]}}
    stepper = stepped_at_once(runs.open({**merge(PREDICTION, concept), "text": {"reading": "webui"}}))
    assert stepper.prior.value < 1e-10


def stepped_at_once(session):
    stepper = Stepper(session)
    stepper.step(0, [first_batch(session)])
    return stepper


@pytest.mark.parametrize("trainable", [
    {"type": "full"}, {"type": "hypernetwork"}, {"type": "dora", "rank": 2}, {"type": "lokr"}, {"type": "norms"},
])  # fmt: skip
def test_whatever_is_trained_the_untouched_models_answer_is_held_on_to(runs, trainable):
    session = runs.open(merge(PREDICTION, {"trainable": trainable}))
    batch = first_batch(session)
    times = torch.linspace(10, 990, len(batch.captions)).long()
    noisy = torch.randn(batch.mean.shape, generator=torch.Generator().manual_seed(0))
    kept = slice(batch.to_learn, None)
    with torch.no_grad():
        untouched = session.denoise(noisy[kept], times[kept], batch.captions[kept], batch.frames[kept])
        stir(session)
        stirred = session.denoise(noisy, times, batch.captions, batch.frames)
    held = hold_on(session, batch, noisy, times, stirred)
    assert torch.allclose(held[kept], untouched, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(stirred[kept], untouched, rtol=1e-2, atol=1e-2)
    assert torch.equal(session.denoise(noisy, times, batch.captions, batch.frames), stirred)
