import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import ModelError  # noqa: E402
from lib_trainer.models.loading import load_model  # noqa: E402
from tests.models.miniature import FULL, miniature_checkpoint, miniature_tensors  # noqa: E402

REFERENCE = Path(__file__).parents[1] / "reference"
CAPTIONS = ["a photo of a cat", "", "word " * 200]


def close(ours, theirs):
    return torch.allclose(ours, theirs, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_predictions_are_those_of_diffusers(model, pipeline):
    noisy, timesteps, text = torch.randn(3, 4, 8, 12), torch.tensor([0, 500, 999]), torch.randn(3, 77, 64)
    ours = model.predict(noisy, timesteps, text)
    assert ours.std() > 0.1
    assert close(ours, pipeline.unet(noisy, timesteps, text).sample)


def test_gradients_with_respect_to_latents_and_text_are_those_of_diffusers(model, pipeline):
    noisy, text = torch.randn(1, 4, 8, 8, requires_grad=True), torch.randn(1, 77, 64, requires_grad=True)
    timesteps = torch.tensor([250])
    ours = torch.autograd.grad(model.predict(noisy, timesteps, text).square().sum(), (noisy, text))
    theirs = torch.autograd.grad(pipeline.unet(noisy, timesteps, text).sample.square().sum(), (noisy, text))
    assert all(close(our, their) for our, their in zip(ours, theirs, strict=True))


@torch.no_grad()
@pytest.mark.parametrize("clip_skip", [1, 2])
def test_text_is_encoded_as_transformers_does_with_the_final_normalisation_after_the_last_layer_used(
    model, pipeline, clip_skip
):
    ids = model.tokenize(CAPTIONS)
    states = pipeline.text_encoder(ids, output_hidden_states=True).hidden_states
    assert close(model.encode_text(ids, clip_skip), pipeline.text_encoder.final_layer_norm(states[-clip_skip]))


@pytest.mark.parametrize("clip_skip", [0, 3])
def test_a_clip_skip_that_the_text_encoder_has_no_layer_for_is_refused(model, clip_skip):
    with pytest.raises(ModelError, match=rf"Clip skip {clip_skip} is impossible; .* allows 1 to 2"):
        model.encode_text(model.tokenize(["a"]), clip_skip)


def test_tokens_are_begun_cut_at_75_and_padded_with_ends_as_the_webui_does(model):
    short, empty, long = model.tokenize(CAPTIONS).tolist()
    assert short == [49406, 320, 1125, 539, 320, 2368] + [49407] * 71  # numbers of OpenAI's published vocabulary
    assert empty == [49406] + [49407] * 76
    assert long == [49406] + [2653] * 75 + [49407]
    assert model.tokenize([]).shape == (0, 77)


@torch.no_grad()
def test_latents_are_those_of_diffusers_times_the_factor_and_decode_to_its_pictures(model, pipeline):
    pixels = torch.rand(2, 3, 32, 64) * 2 - 1
    mean, deviation = model.encode_pictures(pixels)
    theirs = pipeline.vae.encode(pixels).latent_dist
    assert mean.shape == (2, 4, 4, 8)
    assert close(mean, theirs.mean * 0.18215) and close(deviation, theirs.std * 0.18215)
    assert close(model.decode_latents(mean), pipeline.vae.decode(mean / 0.18215).sample)


def test_the_noise_schedule_is_that_of_diffusers(model, pipeline):
    assert close(model.alphas_cumprod, pipeline.scheduler.alphas_cumprod)
    assert (model.prediction, model.pixels_per_latent, model.latent_channels) == ("epsilon", 8, 4)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_parts_come_frozen_in_the_wanted_dtype_and_the_vae_stays_in_fp32(miniature_file, cpu, dtype):
    model = load_model(miniature_file, dtype, cpu)
    parameters = [parameter for part in model.parts.values() for parameter in part.parameters()]
    table = model.parts["text_encoder"].get_parameter("embeddings.token_embedding.weight")  # see test_stored_embedding
    assert {parameter.dtype for parameter in parameters if parameter is not table} == {dtype}
    assert not any(parameter.requires_grad or parameter.is_meta for parameter in parameters)
    assert not any(part.training for part in model.parts.values())
    with torch.no_grad():
        assert model.encode_pictures(torch.zeros(1, 3, 16, 16))[0].dtype == model.vae_dtype == torch.float32


def test_the_vae_is_only_in_memory_when_it_is_needed(model, monkeypatch):
    read = []
    monkeypatch.setattr(model._source, "read", lambda name, real=model._source.read: read.append(name) or real(name))
    with torch.no_grad():
        first = model.encode_pictures(torch.zeros(1, 3, 16, 16))[0]
        once = len(read)
        model.encode_pictures(torch.zeros(1, 3, 16, 16))
        assert once == len(read) > 0 and all(name.startswith("first_stage_model.") for name in read)
        model.release_vae()
        assert torch.equal(model.encode_pictures(torch.zeros(1, 3, 16, 16))[0], first)
    assert len(read) == 2 * once


def test_digests_tell_vaes_and_text_encoders_apart_and_nothing_else(tmp_path, cpu):
    tensors = miniature_tensors()
    changed = {}
    for part, name in {
        "same": "model.diffusion_model.out.2.bias",
        "vae": "first_stage_model.decoder.conv_out.bias",
        "text": "cond_stage_model.transformer.text_model.final_layer_norm.bias",
    }.items():
        file = miniature_checkpoint(tmp_path / f"{part}.safetensors", extra={name: tensors[name] + 1})
        changed[part] = load_model(file, torch.float32, cpu)
    base = load_model(miniature_checkpoint(tmp_path / "base.safetensors"), torch.float32, cpu)
    same_vae = {part: model.vae_digest == base.vae_digest for part, model in changed.items()}
    same_text = {part: model.text_digest == base.text_digest for part, model in changed.items()}
    assert same_vae == {"same": True, "vae": False, "text": True}
    assert same_text == {"same": True, "vae": True, "text": False}


@pytest.mark.parametrize("file", ["sd1_lora_keys.json", "sd1_locon_keys.json"])
def test_network_names_of_the_full_size_are_those_of_kohyas_files(model, file):
    from lib_trainer.models.sd1_modules import build_text_encoder, build_unet
    from lib_trainer.models.sd1_settings import Settings

    settings = Settings((8, 8, 8, 8), 12)
    parts = {"unet": build_unet(FULL.unet, settings), "text_encoder": build_text_encoder(FULL.text, settings)}
    names = {
        model.network_name(part, name)
        for part, module in parts.items()
        for name, layer in module.named_modules()
        if isinstance(layer, (torch.nn.Linear, torch.nn.Conv2d))
    }
    keys = json.loads((REFERENCE / file).read_text(encoding="utf-8"))
    expected = {key.partition(".")[0] for key in keys}
    assert expected <= names
    if "locon" in file:  # kohya leaves alone the first and last convolutions and the embedding of the time
        left = ("conv_in", "conv_out", "time_embedding_linear_1", "time_embedding_linear_2")
        assert names - expected == {f"lora_unet_{name}" for name in left}


def test_what_modules_do_not_have_is_carried_over(tmp_path, cpu):
    extra = {
        "model_ema.decay": torch.tensor(0.9999),
        "cond_stage_model.transformer.text_model.embeddings.position_ids": torch.arange(77).reshape(1, 77),
        "betas": torch.linspace(0, 1, 1000, dtype=torch.float64),
    }
    file = miniature_checkpoint(tmp_path / "model.safetensors", extra=extra)
    tensors = load_model(file, torch.float32, cpu).original_tensors()
    assert set(tensors) == {*miniature_tensors(), *extra} and len(tensors) == len(set(tensors))
    for name, tensor in extra.items():
        assert torch.equal(tensors[name], tensor) and tensors.stored_dtype(name) == tensor.dtype


def test_original_tensors_are_those_of_the_file_in_value_and_shape(model):
    tensors, expected = model.original_tensors(), miniature_tensors()
    assert set(tensors) == set(expected)
    for name, tensor in expected.items():
        assert tensors.shape(name) == tensor.shape
        assert torch.equal(tensors[name].half(), tensor)


def test_original_tensors_follow_training(model):
    with torch.no_grad():
        model.parts["unet"].conv_out.bias.fill_(5)
    assert (model.original_tensors()["model.diffusion_model.out.2.bias"] == 5).all()


def test_a_file_without_text_model_in_its_names_predicts_the_same(tmp_path, model, cpu):
    from safetensors.torch import save_file

    save_file(miniature_tensors(text_prefix="cond_stage_model.transformer."), tmp_path / "old.safetensors")
    old = load_model(tmp_path / "old.safetensors", torch.float32, cpu)
    ids = model.tokenize(["a cat"])
    assert old.encode_text(ids, 1).shape == model.encode_text(ids, 1).shape
    assert "cond_stage_model.transformer.final_layer_norm.weight" in old.original_tensors()


def test_a_ckpt_predicts_the_same_as_the_safetensors(tmp_path, model, cpu):
    torch.save({"state_dict": miniature_tensors(), "epoch": 1}, tmp_path / "model.ckpt")
    other = load_model(tmp_path / "model.ckpt", torch.float32, cpu)
    inputs = torch.randn(1, 4, 8, 8), torch.tensor([5]), torch.randn(1, 77, 64)
    assert torch.equal(other.predict(*inputs), model.predict(*inputs))


def test_missing_tensors_are_counted_and_named(tmp_path, cpu):
    from safetensors.torch import save_file

    tensors = miniature_tensors()
    for layer in ("0.weight", "0.bias", "2.weight", "2.bias"):
        del tensors[f"model.diffusion_model.time_embed.{layer}"]
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match=r"lacks 4 of the \d+ tensors .*time_embed\.0\.weight, .*, \.\.\.\. Download"):
        load_model(tmp_path / "model.safetensors", torch.float32, cpu)


def test_a_tensor_of_another_shape_is_named_with_both_shapes(tmp_path, cpu):
    wrong = {"model.diffusion_model.time_embed.0.bias": torch.zeros(7)}
    file = miniature_checkpoint(tmp_path / "model.safetensors", extra=wrong)
    with pytest.raises(ModelError, match=r"time_embed\.0\.bias has the shape \[7\], .* must be \[128\]"):
        load_model(file, torch.float32, cpu)


def test_a_model_with_fewer_tokens_than_the_tokenizer_is_refused(tmp_path, cpu):
    name = "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight"
    file = miniature_checkpoint(tmp_path / "model.safetensors", extra={name: torch.zeros(100, 64)})
    with pytest.raises(ModelError, match="knows 100 tokens"):
        load_model(file, torch.float32, cpu)


@torch.no_grad()
def test_the_vae_computes_in_its_own_precision_under_autocast(model):
    pixels, latents = torch.rand(1, 3, 16, 16), torch.randn(1, 4, 2, 2)
    plain = model.encode_pictures(pixels)[0], model.decode_latents(latents)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(model.encode_pictures(pixels)[0], plain[0])
        assert torch.equal(model.decode_latents(latents), plain[1])


@torch.no_grad()
def test_a_bf16_model_takes_fp32_latents_and_text(miniature_file, model, cpu):
    small = load_model(miniature_file, torch.bfloat16, cpu)
    inputs = torch.randn(1, 4, 8, 8), torch.tensor([500]), torch.randn(1, 77, 64)
    predicted = small.predict(*inputs)
    assert predicted.dtype == torch.bfloat16
    assert (predicted.float() - model.predict(*inputs)).abs().mean() < 0.05
