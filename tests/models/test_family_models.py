"""Stable Diffusion 2 and XL against diffusers' own pipelines with the same weights."""

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import ModelError  # noqa: E402
from lib_trainer.models.checkpoints import read_outline  # noqa: E402
from lib_trainer.models.loading import load_model  # noqa: E402
from lib_trainer.models.sampling import SampleRequest, sample  # noqa: E402
from lib_trainer.models.sdxl_text import unpacked  # noqa: E402
from tests.models.families import CHECKPOINTS, SDXL  # noqa: E402
from tests.models.second_source_families import PIPELINES  # noqa: E402

CAPTIONS = ["a photo of a cat", "", "word " * 200]
POOLED = SDXL.second_text.projection
FRAMES = torch.tensor([[900, 700, 0, 12, 96, 64], [64, 96, 4, 0, 96, 64]])


@pytest.fixture(scope="module", params=list(CHECKPOINTS))
def family(request):
    return request.param


@pytest.fixture(scope="module")
def file(family, tmp_path_factory):
    return CHECKPOINTS[family](tmp_path_factory.mktemp("family") / f"{family}.safetensors")


@pytest.fixture(scope="module")
def theirs(family, file):
    return PIPELINES[family](file)


@pytest.fixture
def ours(file, cpu):
    return load_model(file, torch.float32, cpu)


def close(one, other):
    return torch.allclose(one, other, atol=1e-5, rtol=1e-5)


def said_by(pipeline, captions):
    """Hidden states and, of SDXL, the pooled ones."""
    told = {"device": "cpu", "num_images_per_prompt": 1, "do_classifier_free_guidance": False}
    answers = [pipeline.encode_prompt(caption, **told) for caption in captions]
    pooled = torch.cat([answer[2] for answer in answers]) if len(answers[0]) > 2 else None
    return torch.cat([answer[0] for answer in answers]), pooled


@torch.no_grad()
def test_text_states_are_those_of_diffusers(family, ours, theirs):
    text = ours.encode_text(ours.tokenize(CAPTIONS), 1)
    states, pooled = said_by(theirs, CAPTIONS)
    if family == "sdxl":
        text, own_pooled = unpacked(text, POOLED)
        assert close(own_pooled, pooled)
    assert states.std() > 0.1 and close(text, states)


@torch.no_grad()
def test_predictions_are_those_of_diffusers(family, ours, theirs):
    noisy, timesteps = torch.randn(2, 4, 12, 8), torch.tensor([0, 999])
    text = torch.randn(2, 78 if family == "sdxl" else 77, ours.encode_text(ours.tokenize([""]), 1).shape[2])
    predicted = ours.predict(noisy, timesteps, text, FRAMES)
    told = {}
    if family == "sdxl":
        text, pooled = unpacked(text, POOLED)
        told = {"added_cond_kwargs": {"text_embeds": pooled, "time_ids": FRAMES}}
    expected = theirs.unet(noisy, timesteps, text, **told).sample
    assert expected.std() > 0.1 and close(predicted, expected)


@torch.no_grad()
def test_latents_are_those_of_diffusers_with_the_familys_factor(family, ours, theirs):
    pixels = torch.rand(1, 3, 16, 16) * 2 - 1
    mean, _ = ours.encode_pictures(pixels)
    factor = {"sd2": 0.18215, "sdxl": 0.13025}[family]
    assert close(mean, theirs.vae.encode(pixels).latent_dist.mean * factor)


@pytest.mark.parametrize("negative", ["", "ugly"])
def test_pictures_are_those_of_diffusers_pipeline_from_the_same_noise(family, ours, theirs, negative):
    request = SampleRequest(
        ("a cat",), (5,), negative_prompt=negative, steps=4, cfg_scale=3.0, sampler="DDIM", width=96, height=64
    )
    (picture,) = sample(ours, request)
    noise = torch.randn((4, 8, 12), generator=torch.Generator().manual_seed(5))[None]
    theirs.set_progress_bar_config(disable=True)
    drawn = theirs(
        "a cat", negative_prompt=negative or ("" if family == "sd2" else None), num_inference_steps=4,
        guidance_scale=3.0, width=96, height=64, latents=noise, output_type="pt",
    ).images[0]  # fmt: skip
    import numpy

    expected = (drawn.permute(1, 2, 0) * 255).round().numpy()
    assert expected.std() > 1
    assert numpy.abs(numpy.asarray(picture).astype(float) - expected).max() <= 1


@torch.no_grad()
def test_a_folder_that_diffusers_wrote_is_the_same_model_as_the_single_file(family, ours, theirs, file, tmp_path, cpu):
    theirs.save_pretrained(tmp_path / "folder")
    loaded = load_model(tmp_path / "folder", torch.float32, cpu)
    assert loaded.family == family == read_outline(tmp_path / "folder").family
    ids = ours.tokenize(CAPTIONS)
    assert torch.equal(loaded.tokenize(CAPTIONS), ids)
    text = ours.encode_text(ids, 1)
    assert torch.equal(loaded.encode_text(ids, 1), text)
    inputs = torch.randn(3, 4, 8, 8), torch.tensor([1, 5, 9]), text
    assert torch.equal(loaded.predict(*inputs), ours.predict(*inputs))
    pixels = torch.rand(1, 3, 16, 16)
    assert torch.equal(loaded.encode_pictures(pixels)[0], ours.encode_pictures(pixels)[0])
    single, folder = ours.original_tensors(), loaded.original_tensors()
    missing = {name for name in single if name not in folder}
    assert all(name.endswith(("logit_scale", "text_projection")) for name in missing)
    assert {name: folder.shape(name) for name in folder} == {
        name: single.shape(name) for name in single if name not in missing
    }


def test_a_file_written_from_a_folder_is_the_same_model(family, theirs, ours, tmp_path, cpu):
    from lib_trainer.weights.checkpoints import write_checkpoint

    theirs.save_pretrained(tmp_path / "folder")
    write_checkpoint(load_model(tmp_path / "folder", torch.float32, cpu), tmp_path / "again.safetensors")
    again = load_model(tmp_path / "again.safetensors", torch.float32, cpu)
    with torch.no_grad():
        ids = ours.tokenize(CAPTIONS)
        assert torch.equal(again.encode_text(ids, 1), ours.encode_text(ids, 1))


def test_clip_skip_is_refused_as_the_webui_has_none_here(ours):
    with pytest.raises(ModelError, match=r"Clip skip is 2, but for .* the WebUI takes the layers? before the last"):
        ours.encode_text(ours.tokenize(["a"]), 2)


def test_the_text_digest_follows_both_encoders(family, ours, tmp_path, cpu):
    from safetensors.torch import load_file, save_file

    tensors = load_file(ours.path)
    (name,) = [name for name in tensors if name.endswith("model.token_embedding.weight")]
    tensors[name][0, 0] += 1
    save_file(tensors, tmp_path / "other.safetensors")
    assert load_model(tmp_path / "other.safetensors", torch.float32, cpu).text_digest != ours.text_digest
