"""One step: its gradient, clipping, and what happens when numbers are not finite."""

from __future__ import annotations

import dataclasses

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import TrainingError  # noqa: E402
from lib_trainer.core.events import Loss, Notice  # noqa: E402
from lib_trainer.dataset.cache_files import write_tensors  # noqa: E402
from lib_trainer.training.diffusion import add_noise  # noqa: E402
from lib_trainer.training.randomness import generator  # noqa: E402
from lib_trainer.training.session import Session  # noqa: E402
from lib_trainer.training.step import Stepper  # noqa: E402

SQUARE = {"buckets": {"square": True}}


def stir(session):
    """Fill B, so that both matrices have gradients."""
    random = torch.Generator().manual_seed(0)
    for tensor in session.parameters:
        tensor.data.copy_(torch.randn(tensor.shape, generator=random) * 0.1)


def gradients_of_step(session, window):
    """The gradients with which the optimizer is called."""
    found = []
    with_gradient = (tensor.grad for tensor in session.parameters if tensor.grad is not None)
    session.optimizer.step = lambda: found.extend(gradient.clone() for gradient in with_gradient)
    loss = Stepper(session).step(0, window)
    return loss, found


def gradients_by_hand(session, window):
    """The window's pictures as one batch, under the noise that each of them has in its own."""
    noisy, noises, timesteps, captions = [], [], [], []
    for place, batch in enumerate(window):
        random = generator(session.options.seed, "step", 0, place)
        latents = batch.mean + batch.std * torch.randn(batch.mean.shape, generator=random)
        noise = torch.randn(latents.shape, generator=random)
        timestep = torch.randint(0, 1000, (len(latents),), generator=random)
        noisy.append(add_noise(latents, noise, session.model.alphas_cumprod[timestep]))
        noises.append(noise)
        timesteps.append(timestep)
        captions += batch.captions
    answer = session.denoise(torch.cat(noisy), torch.cat(timesteps), captions)
    loss = torch.nn.functional.mse_loss(answer, torch.cat(noises))
    return float(loss.detach()), torch.autograd.grad(loss, session.parameters)


def windows(session, epoch=0):
    size = session.options.accumulate
    batches = [session.dataset.load(plan, epoch) for plan in session.dataset.batches(epoch)]
    return [batches[start : start + size] for start in range(0, len(batches), size)]


def alike(ours, theirs):
    return all(torch.allclose(one, other, rtol=1e-4, atol=1e-7) for one, other in zip(ours, theirs, strict=True))


@pytest.mark.option("TrainingOptions.accumulate", "TrainingOptions.batch_size")
@pytest.mark.parametrize(("which", "sizes"), [(0, [1, 2, 2]), (-1, [2])])
def test_a_step_over_several_batches_equals_one_batch_of_all_their_pictures(runs, which, sizes):
    """Seven pictures in batches of two make a window of three batches, one of them short, and one of a single batch."""
    session = runs.open({"accumulate": 3, "max_grad_norm": None, "dataset": SQUARE})
    stir(session)
    window = windows(session)[which]
    assert sorted(len(batch.paths) for batch in window) == sizes
    by_hand, expected = gradients_by_hand(session, window)
    loss, found = gradients_of_step(session, window)
    assert loss == pytest.approx(by_hand, rel=1e-5)
    assert alike(found, expected)


@pytest.mark.option("TrainingOptions.accumulate")
def test_accumulating_makes_fewer_steps_and_the_last_of_an_epoch_takes_what_is_left(runs):
    epochs = [event.epoch for event in runs.train({"accumulate": 3, "epochs": 2}).of(Loss)]
    assert epochs == [0, 0, 1, 1]  # four batches an epoch: 3 + 1


@pytest.mark.option("TrainingOptions.max_grad_norm")
@pytest.mark.parametrize("share", [0.5, 2.0, None])
def test_gradients_are_clipped_to_the_norm_and_only_then(runs, share):
    session = runs.open({"max_grad_norm": None})
    stir(session)
    window = windows(session)[0]
    _, free = gradients_of_step(session, window)
    norm = float(torch.cat([tensor.flatten() for tensor in free]).norm())
    limit = None if share is None else norm * share
    session.options = dataclasses.replace(session.options, max_grad_norm=limit)
    _, clipped = gradients_of_step(session, window)
    factor = 0.5 if share == 0.5 else 1
    assert alike(clipped, [tensor * factor for tensor in free])


@pytest.mark.option("TrainingOptions.loss")
def test_the_loss_that_is_chosen_is_what_is_minimised(runs):
    class Thrice:
        def per_value(self, predicted, target):
            return 3 * (predicted - target).square()

    session = runs.open({"max_grad_norm": None})
    stir(session)
    window = windows(session)[0]
    loss, free = gradients_of_step(session, window)
    session.options = dataclasses.replace(session.options, loss=Thrice())
    other, found = gradients_of_step(session, window)
    assert other == pytest.approx(3 * loss, rel=1e-6)
    assert alike(found, [3 * tensor for tensor in free])


@pytest.fixture
def spoiled(runs, tmp_path):
    """`spoiled(3)`: options under which the latents of pictures with these numbers are not finite."""

    def made(*numbers):
        changes = {"dataset": {**SQUARE, "cache": str(tmp_path / "cache")}, "batch_size": 1}
        dataset = runs.open(changes, "spoiling").dataset
        for entry in dataset.entries:
            if int(entry.path.stem) in numbers:
                mean, std = dataset._cache.read(entry.view)
                write_tensors(dataset._cache.file(entry.view), {"mean": mean * torch.nan, "std": std})
        return changes

    return made


def all_finite(run):
    states = [torch.load(path, weights_only=True)["network"] for path in run.directory.states.glob("*.pt")]
    files = [run.tensors(which) for which in range(len(run.networks))]
    return all(bool(torch.isfinite(tensor).all()) for tensors in files + states for tensor in tensors.values())


def test_a_step_whose_loss_is_not_finite_is_left_out_and_its_pictures_are_named(runs, spoiled):
    run = runs.train({**spoiled(3), "saving": {"every": "1 step", "state_every": "1 step"}})
    (warning,) = [event.message for event in run.of(Notice) if event.level == "warning"]
    assert "not finite" in warning
    assert "3.png" in warning
    assert "left out" in warning
    assert len(run.losses) == 6
    assert len(run.networks) == 7
    assert all_finite(run)


def test_a_step_that_is_left_out_changes_no_weight(runs, spoiled):
    changes = {**spoiled(*range(7)), "max_steps": 2, "saving": {"every": "1 step"}}
    run = runs.train(changes)
    assert len(run.networks) == 2
    assert not any(tensor.any() for name, tensor in run.tensors().items() if name.endswith("lora_up.weight"))


def test_three_steps_in_a_row_that_are_not_finite_end_the_run_and_the_last_good_state_stays(runs, spoiled):
    changes = {**spoiled(*range(7)), "saving": {"every": "1 step", "state_every": "1 step"}}
    with pytest.raises(TrainingError, match=r"not finite.* 3 times in a row.*Lower 'learning_rate'") as caught:
        runs.train(changes)
    assert ".png" in str(caught.value)
    run = runs.run()
    assert run.losses == []
    assert run.state["place"]["step"] == 2
    assert all_finite(run)


def test_two_in_a_row_and_a_good_one_go_on(runs, spoiled):
    order = runs.open(spoiled(), "order").dataset
    first = [int(order.entries[plan[0].entry].path.stem) for plan in order.batches(0)]
    run = runs.train(spoiled(first[0], first[1], first[3], first[4]))
    assert [event.step for event in run.of(Loss)] == [3, 6, 7]


def test_a_gradient_that_is_not_finite_counts_like_a_loss(runs, monkeypatch):
    """The loss is good and the way back is not, as an overflow in one layer makes it."""
    plain = Session.denoise

    def denoise(self, noisy, timesteps, captions, frames, *_):
        answer = plain(self, noisy, timesteps, captions, frames)
        if answer.requires_grad:
            answer.register_hook(lambda gradient: gradient * torch.inf)
        return answer

    monkeypatch.setattr(Session, "denoise", denoise)
    with pytest.raises(TrainingError, match="the loss or its gradient is not finite"):
        runs.train({"saving": {"state_every": "1 step"}})
    assert all_finite(runs.run())
    assert "Step 1: " in runs.run().messages
    assert "Step 2: " in runs.run().messages


def test_previews_and_savings_that_are_due_at_a_step_left_out_are_done_all_the_same(runs, spoiled):
    order = runs.open(spoiled(), "order").dataset
    last = int(order.entries[order.batches(0)[-1][0].entry].path.stem)
    changes = {**spoiled(last), "epochs": 2, "saving": {"every": "1 epoch", "state_every": "1 epoch"}}
    assert runs.train(changes).saved("network") == [(7, "net-e001.safetensors"), (14, "net-e002.safetensors")]


def test_the_weight_of_a_picture_multiplies_its_loss(runs):
    session = runs.open({"batch_size": 2, "dataset": SQUARE})
    batch = windows(session)[0][0]
    plain = Stepper(session)._loss(batch, 0, 0)
    weighted = Stepper(session)._loss(dataclasses.replace(batch, weights=torch.tensor([2.0, 0.5])), 0, 0)
    assert torch.equal(weighted, plain * torch.tensor([2.0, 0.5]))
