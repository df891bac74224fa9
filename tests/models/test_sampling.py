import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import ConfigError, ModelError  # noqa: E402
from lib_trainer.models.sampler_names import SamplerName  # noqa: E402
from lib_trainer.models.samplers import SAMPLERS  # noqa: E402
from lib_trainer.models.sampling import SampleRequest, build_scheduler, infotext, sample, to_picture  # noqa: E402

REQUEST = SampleRequest(
    prompts=("a photo of a cat", "a dog"), seeds=(1, 2), negative_prompt="blurry", steps=6, width=64, height=32
)


def pixels(pictures):
    return np.stack([np.asarray(picture, dtype=np.int16) for picture in pictures])


def test_every_sampler_of_the_options_is_in_the_table():
    assert set(SAMPLERS) == set(SamplerName.__args__)


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("cfg_scale", [1.0, 7.0])
def test_pictures_are_those_of_diffusers_pipeline_from_the_same_noise(model, pipeline, sampler, cfg_scale):
    request = dataclasses.replace(REQUEST, sampler=sampler, cfg_scale=cfg_scale)
    own_scheduler = pipeline.scheduler
    noise = [torch.randn(4, 4, 8, generator=torch.Generator().manual_seed(seed)) for seed in request.seeds]
    generators = [torch.Generator().manual_seed(seed) for seed in request.seeds]
    for generator in generators:  # the pipeline is given the first noise, later noise follows it
        torch.randn(4, 4, 8, generator=generator)
    pipeline.scheduler = type(build_scheduler(model, sampler)).from_config(
        own_scheduler.config, **SAMPLERS[sampler].settings
    )
    pipeline.set_progress_bar_config(disable=True)
    try:
        theirs = pipeline(
            list(request.prompts), negative_prompt=["blurry"] * 2, num_inference_steps=request.steps,
            guidance_scale=cfg_scale, latents=torch.stack(noise), generator=generators, width=64, height=32,
        ).images
    finally:
        pipeline.scheduler = own_scheduler
    ours = sample(model, request)
    assert pixels(ours).std() > 5
    assert np.abs(pixels(ours) - pixels(theirs)).max() <= 1


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_picture_depends_on_its_own_prompt_and_seed_only(model, sampler):
    request = dataclasses.replace(REQUEST, sampler=sampler)
    together = sample(model, request)
    one_by_one = sample(model, dataclasses.replace(request, batch=1))
    alone = sample(model, dataclasses.replace(request, prompts=request.prompts[1:], seeds=request.seeds[1:]))
    assert np.abs(pixels(together) - pixels(one_by_one)).max() <= 1
    assert np.abs(pixels(together[1:]) - pixels(alone)).max() <= 1
    assert np.abs(pixels(together[:1]) - pixels(together[1:])).max() > 10


@torch.no_grad()
def test_prompts_are_read_as_the_webui_does(model):
    plain, strong, literal = (
        pixels(sample(model, dataclasses.replace(REQUEST, prompts=(prompt,), seeds=(1,))))
        for prompt in ("a red apple", "a (red:1.5) apple", r"a \(red:1.5\) apple")
    )
    assert np.abs(plain - strong).max() > 2
    assert np.abs(literal - strong).max() > 2


def test_a_long_negative_prompt_does_not_change_what_a_short_prompt_means(model):
    request = dataclasses.replace(REQUEST, negative_prompt="blurry, " * 60)
    seen = []
    predict = model.predict

    def seeing(noisy, timesteps, text, frames=None):
        seen.append(text.shape)
        return predict(noisy, timesteps, text, frames)

    model.predict = seeing
    together = sample(model, request)
    assert set(seen) == {(2, 77, 64), (2, 154, 64)}
    alone = sample(model, dataclasses.replace(request, prompts=request.prompts[1:], seeds=request.seeds[1:]))
    assert np.abs(pixels(together[1:]) - pixels(alone)).max() <= 1


@pytest.mark.parametrize(
    "change",
    [
        {"seeds": (3, 4)},
        {"prompts": ("a tree", "a house")},
        {"negative_prompt": ""},
        {"steps": 7},
        {"cfg_scale": 3.0},
        {"sampler": "Euler a"},
        {"clip_skip": 2},
    ],
    ids=lambda change: next(iter(change)),
)
def test_each_part_of_a_request_changes_the_pictures(model, change):
    assert (pixels(sample(model, REQUEST)) != pixels(sample(model, dataclasses.replace(REQUEST, **change)))).any()


def test_pictures_have_the_size_asked_for(model):
    assert {picture.size for picture in sample(model, REQUEST)} == {(64, 32)}


def test_a_v_model_is_sampled_by_its_v(model):
    epsilon = pixels(sample(model, REQUEST))
    model.prediction = "v"
    assert build_scheduler(model, "DDIM").config.prediction_type == "v_prediction"
    assert (pixels(sample(model, REQUEST)) != epsilon).any()


def test_steps_are_counted_over_the_whole_request(model):
    seen = []
    sample(model, dataclasses.replace(REQUEST, batch=1), lambda done, total: seen.append((done, total)))
    assert seen == [(done, 12) for done in range(1, 13)]


def test_a_step_can_end_the_drawing(model):
    seen = []
    assert sample(model, REQUEST, lambda done, total: seen.append(done) or done >= 4) == []
    assert seen == [2, 4]


def test_a_step_may_raise_and_leaves_gradients_as_they_were(model):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sample(model, REQUEST, stop)
    assert torch.is_grad_enabled()


def test_prompts_and_seeds_must_be_as_many(model):
    with pytest.raises(ConfigError, match="2 prompts and 1 seeds"):
        sample(model, dataclasses.replace(REQUEST, seeds=(1,)))


@pytest.mark.parametrize("side", ["width", "height"])
def test_sides_that_latents_do_not_divide_are_refused(model, side):
    with pytest.raises(ConfigError, match=f"The {side} of 60 px must be a multiple of 8"):
        sample(model, dataclasses.replace(REQUEST, **{side: 60}))


def test_pixels_that_are_no_numbers_are_refused():
    with pytest.raises(ModelError, match="not finite"):
        to_picture(torch.full((3, 8, 8), torch.nan))


def test_pixels_are_rounded_and_clipped():
    values = torch.tensor([-2.0, -1.0, 0.0, 1.0]).expand(3, 1, 4)
    assert np.asarray(to_picture(values))[0, :, 0].tolist() == [0, 0, 128, 255]


def test_the_infotext_is_written_as_the_webui_does():
    request = dataclasses.replace(REQUEST, sampler="DPM++ 2M Karras", cfg_scale=7.5, clip_skip=2)
    assert infotext(request, 1, "my, model", {"Lora hashes": "cat: 0123456789ab", "Version": "1"}) == (
        "a dog\nNegative prompt: blurry\n"
        "Steps: 6, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7.5, Seed: 2, Size: 64x32, "
        'Model: "my, model", Clip skip: 2, RNG: CPU, Lora hashes: "cat: 0123456789ab", Version: 1'
    )


def test_the_infotext_leaves_out_what_is_as_usual():
    text = infotext(dataclasses.replace(REQUEST, negative_prompt="", cfg_scale=7.0), 0, "model")
    assert text == (
        "a photo of a cat\nSteps: 6, Sampler: DPM++ 2M, Schedule type: Uniform, CFG scale: 7.0, Seed: 1, "
        "Size: 64x32, Model: model, RNG: CPU"
    )
