"""The mathematics of diffusion, against diffusers' own and by hand."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.events import Loss  # noqa: E402
from lib_trainer.training.diffusion import add_noise, draw_noise, min_snr_weight, target  # noqa: E402
from lib_trainer.training.randomness import generator  # noqa: E402

TIMESTEPS = torch.tensor([0, 1, 137, 500, 998, 999])


@pytest.fixture(scope="module")
def scheduler():
    """diffusers' noise schedule of Stable Diffusion 1."""
    from diffusers import DDPMScheduler

    return DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")


@pytest.fixture
def batch():
    latents, noise = torch.randn(2, len(TIMESTEPS), 4, 5, 6, generator=torch.Generator().manual_seed(0))
    return latents, noise


def test_noise_is_added_as_diffusers_does(scheduler, batch):
    ours = add_noise(*batch, scheduler.alphas_cumprod[TIMESTEPS])
    assert torch.allclose(ours, scheduler.add_noise(*batch, TIMESTEPS), atol=1e-6)


def test_the_target_of_v_is_diffusers_velocity_and_that_of_epsilon_the_noise(scheduler, batch):
    alphas = scheduler.alphas_cumprod[TIMESTEPS]
    assert torch.allclose(target("v", *batch, alphas), scheduler.get_velocity(*batch, TIMESTEPS), atol=1e-6)
    assert torch.equal(target("epsilon", *batch, alphas), batch[1])


@pytest.mark.parametrize("prediction", ["epsilon", "v"])
def test_min_snr_weights_are_the_papers(scheduler, prediction):
    alphas = scheduler.alphas_cumprod[TIMESTEPS]
    weights = min_snr_weight(alphas, 5.0, prediction)
    for weight, alpha in zip(weights.tolist(), alphas.double().tolist(), strict=True):
        ratio = alpha / (1 - alpha)
        by_hand = min(ratio, 5.0) / (ratio if prediction == "epsilon" else ratio + 1)
        assert weight == pytest.approx(by_hand, rel=1e-4)


def test_min_snr_weights_are_those_of_diffusers_training_functions(scheduler):
    from diffusers.training_utils import compute_snr

    ratio = compute_snr(scheduler, TIMESTEPS)
    capped = torch.stack([ratio, torch.full_like(ratio, 5.0)]).min(dim=0)[0]  # as its example scripts go on
    alphas = scheduler.alphas_cumprod[TIMESTEPS]
    assert torch.allclose(min_snr_weight(alphas, 5.0, "epsilon"), capped / ratio, rtol=1e-4)
    assert torch.allclose(min_snr_weight(alphas, 5.0, "v"), capped / (ratio + 1), rtol=1e-4)


def test_without_an_offset_noise_is_white_and_independent():
    noise = draw_noise((64, 4, 32, 32), generator("white"))
    assert noise.mean().abs() < 0.01
    assert noise.std() == pytest.approx(1, abs=0.01)
    assert noise.mean(dim=(2, 3)).std() == pytest.approx(1 / 32, rel=0.15)


def test_an_offset_adds_one_value_for_each_picture_and_channel_of_that_size():
    plain = draw_noise((200, 4, 8, 8), generator("offset"))
    added = draw_noise((200, 4, 8, 8), generator("offset"), offset=0.3) - plain
    levels = added[:, :, 0, 0]
    assert torch.allclose(added, levels[:, :, None, None].expand_as(added), atol=1e-6)
    assert levels.std() == pytest.approx(0.3, rel=0.1)
    assert levels.mean().abs() < 0.04
    assert len(levels.unique()) > 790


def first_loss(runs, diffusion, name):
    changes = {"diffusion": diffusion, "max_steps": 1, "batch_size": 1, "dataset": {"buckets": {"square": True}}}
    return runs.train(changes, name).losses[0]


def by_hand(runs, offset=0.0):
    """Answer, latents, noise and alpha of the first step, whose network adds nothing yet."""
    session = runs.open({"batch_size": 1, "dataset": {"buckets": {"square": True}}}, "by-hand")
    batch = session.dataset.load(session.dataset.batches(0)[0], 0)
    random = generator(0, "step", 0, 0)
    latents = batch.mean + batch.std * torch.randn(batch.mean.shape, generator=random)
    noise = draw_noise(tuple(latents.shape), random, offset)
    timestep = torch.randint(0, 1000, (1,), generator=random)
    alpha = session.model.alphas_cumprod[timestep]
    with torch.no_grad():
        answer = session.denoise(add_noise(latents, noise, alpha), timestep, batch.captions)
    return answer, latents, noise, alpha


@pytest.mark.option("DiffusionOptions.prediction")
def test_training_asks_for_the_velocity_where_it_is_told_to(runs):
    answer, latents, noise, alpha = by_hand(runs)
    velocity = alpha.sqrt() * noise - (1 - alpha).sqrt() * latents
    losses = [float((answer - wanted).square().mean()) for wanted in (velocity, noise)]
    found = [first_loss(runs, {"prediction": "v"}, "v"), first_loss(runs, {}, "noise")]
    assert found == pytest.approx(losses, rel=1e-5)
    assert abs(losses[0] - losses[1]) > 1e-3


@pytest.mark.option("DiffusionOptions.prediction")
def test_auto_asks_the_checkpoint(runs, things, tmp_path):
    import shutil

    model = shutil.copy(things / "miniature.safetensors", tmp_path / "v.safetensors")
    text = "model:\n  params:\n    parameterization: v\n    unet_config: {params: {num_heads: 8}}\n"
    (tmp_path / "v.yaml").write_text(text, encoding="utf-8")
    asked = runs.train({"model": str(model), "max_steps": 1}, "asked").losses
    told = runs.train({"diffusion": {"prediction": "v"}, "max_steps": 1}, "told").losses
    plain = runs.train({"max_steps": 1}, "plain").losses
    assert asked == told != plain


@pytest.mark.option("DiffusionOptions.noise_offset")
def test_training_uses_the_offset_in_the_noise_and_in_the_target(runs):
    answer, _, noise, _ = by_hand(runs, offset=0.5)
    wanted = float((answer - noise).square().mean())
    assert first_loss(runs, {"noise_offset": 0.5}, "offset") == pytest.approx(wanted, rel=1e-5)


@pytest.mark.option("DiffusionOptions.min_snr_gamma")
def test_the_loss_is_weighted_by_min_snr(runs):
    *_, alpha = by_hand(runs)
    ratio = float(alpha / (1 - alpha))
    gamma = round(ratio / 3, 2)
    plain, weighted = first_loss(runs, {}, "plain"), first_loss(runs, {"min_snr_gamma": gamma}, "weighted")
    assert weighted == pytest.approx(plain * gamma / ratio, rel=1e-4)


def test_random_numbers_depend_on_the_place_alone():
    numbers = {torch.rand(1, generator=generator(*place)).item() for place in [(1, 2), (1, 3), (2, 2), (12,)]}
    assert len(numbers) == 4
    assert torch.equal(torch.rand(3, generator=generator(1, "step")), torch.rand(3, generator=generator(1, "step")))


def test_the_loss_is_told_for_each_step(runs):
    events = runs.train().of(Loss)
    assert [(event.step, event.epoch) for event in events] == [(1, 0), (2, 0), (3, 0), (4, 0)]
