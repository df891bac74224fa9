"""Full fine-tuning: which weights are trained, what they learn, and what is left of the model as it was."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import ConfigError, ModelError  # noqa: E402
from lib_trainer.models.checkpoints import read_outline  # noqa: E402
from lib_trainer.models.loading import load_model  # noqa: E402
from lib_trainer.trainables.full import Full  # noqa: E402
from lib_trainer.weights.networks import open_network  # noqa: E402
from tests.models.families import CHECKPOINTS  # noqa: E402
from tests.models.miniature import miniature_checkpoint  # noqa: E402

MODELS = {"sd1": miniature_checkpoint, **CHECKPOINTS}
BOTH = ["unet", "text_encoder"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return {family: make(folder / f"{family}.safetensors") for family, make in MODELS.items()}


def loaded(path, dtype=torch.float32):
    return load_model(path, dtype, torch.device("cpu"))


@pytest.fixture
def model(files):
    return loaded(files["sd1"])


def answer(model):
    noisy = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0)).to(model.dtype)
    text = model.encode_text(model.tokenize(["a cat", "a dog"]), 1)
    return model.predict(noisy, torch.tensor([100, 900]), text)


def predicted(model):
    with torch.no_grad():
        return answer(model)


def stirred(network):
    random = torch.Generator().manual_seed(1)
    for part in BOTH:
        for weight in network.parameters(part):
            weight.data += torch.randn(weight.shape, generator=random) * 0.05
    return network


def names(model, parts=BOTH, **told):
    return set(Full(**told).attach(model, parts, 0).tensors())


@pytest.mark.parametrize("family", list(MODELS))
@pytest.mark.parametrize("parts", [["unet"], BOTH, ["first_text_encoder"], ["second_text_encoder"]])
def test_the_outline_is_that_of_what_is_then_trained(files, family, parts):
    if parts[0].endswith("_text_encoder") and family != "sdxl":
        pytest.skip("it has one text encoder")
    options = Full(text_layers=1, word_table=True)
    outline = options.outline(read_outline(files[family]), parts, False)
    network = options.attach(loaded(files[family]), parts, 0)
    assert outline.file == {name: tuple(tensor.shape) for name, tensor in network.tensors().items()}
    trained = [tuple(weight.shape) for part in parts for weight in network.parameters(part)]
    assert sorted(outline.trained) == sorted(trained)
    assert outline.metadata == network.metadata()


def test_without_options_everything_is_trained_but_the_table_of_words(model):
    table = "text_encoder.embeddings.token_embedding.weight"
    everything = {f"{part}.{name}" for part in BOTH for name, _ in model.parts[part].named_parameters()}
    network = Full().attach(model, BOTH, 0)
    assert set(network.tensors()) == everything - {table}
    wanted = {f"{part}.{name}" for part in BOTH for name, each in model.parts[part].named_parameters()
              if each.requires_grad}
    assert wanted == everything - {table}


@pytest.mark.option("Full.word_table")
def test_the_table_of_words_is_trained_in_32_bits_where_that_is_told(files):
    table = "text_encoder.embeddings.token_embedding.weight"
    model = loaded(files["sd1"], torch.bfloat16)
    network = Full(word_table=True, text_layers=1).attach(model, BOTH, 0)
    assert table in network.tensors()
    assert {weight.dtype for part in BOTH for weight in network.parameters(part)} == {torch.float32}


@pytest.mark.option("Full.layers", "Full.frozen_layers")
def test_patterns_choose_layers_and_leave_others(model):
    chosen = names(model, ["unet"], layers=("attn2", "down*resnets.0"))
    assert chosen and all("attn2" in name or ("down_blocks" in name and "resnets.0" in name) for name in chosen)
    every = names(model, ["unet"])
    assert names(model, ["unet"], frozen_layers=("up_blocks",)) == {name for name in every if "up_blocks" not in name}


@pytest.mark.option("Full.layers", "Full.frozen_layers")
@pytest.mark.parametrize("name", ["layers", "frozen_layers"])
def test_a_pattern_that_fits_nothing_is_refused_with_names_as_they_are(model, name):
    with pytest.raises(ConfigError, match=rf"'trainable\.{name}' has 'atn2'.*names are such as unet\."):
        Full(**{name: ("atn2",)}).attach(model, BOTH, 0)


def test_a_part_of_which_nothing_is_left_is_refused_with_its_rate(files, model):
    for start in (lambda: Full(layers=("attn2",)).attach(model, BOTH, 0),
                  lambda: Full(layers=("attn2",)).outline(read_outline(files["sd1"]), BOTH, False)):
        with pytest.raises(ConfigError, match=r"nothing of the text_encoder .*'text_encoder_learning_rate' to 0"):
            start()


@pytest.mark.option("Full.text_layers")
@pytest.mark.parametrize("family", ["sd1", "sdxl"])
def test_of_each_text_encoder_so_many_layers_are_trained_counted_from_the_last(files, family):
    found = names(loaded(files[family]), ["text_encoder"], text_layers=1)
    every = names(loaded(files[family]), ["text_encoder"])
    layers = {name.split("self_attn")[0] for name in found if "self_attn" in name}
    if family == "sd1":
        last = max(int(name.split("layers.")[1].split(".")[0]) for name in every if "layers." in name)
        assert layers == {f"text_encoder.encoder.layers.{last}."}
    else:
        assert layers == {"text_encoder.first.encoder.layers.2.", "text_encoder.second.encoder.layers.1."}
        assert "text_encoder.text_projection.weight" in found
    assert not any("embeddings" in name for name in found)
    assert any("final_layer_norm" in name for name in found)
    assert names(loaded(files[family]), ["text_encoder"], text_layers=64) >= {n for n in every if "layers." in n}


@pytest.mark.parametrize("family", list(MODELS))
def test_gradients_tell_how_the_loss_changes(files, family):
    """Against finite differences in one direction for each tensor's size; the lean blocks are made for frozen ones."""
    model = loaded(files[family])
    network = Full(word_table=True).attach(model, BOTH, 0)
    weights = [weight for part in BOTH for weight in network.parameters(part)]
    loss = answer(model).double().square().mean()
    gradients = torch.autograd.grad(loss, weights, allow_unused=True)
    used = [(weight, gradient) for weight, gradient in zip(weights, gradients, strict=True) if gradient is not None]
    assert len(used) > 0.8 * len(weights)
    towards = [gradient / gradient.norm().clamp(min=1e-12) for _, gradient in used]
    step, found = 1e-3, []
    for sign in (1, -1):
        for (weight, _), direction in zip(used, towards, strict=True):
            weight.data += sign * step * direction
        found.append(float(answer(model).double().square().mean().detach()))
        for (weight, _), direction in zip(used, towards, strict=True):
            weight.data -= sign * step * direction
    slope = sum(float(gradient.norm()) for _, gradient in used)
    assert (found[0] - found[1]) / (2 * step) == pytest.approx(slope, rel=2e-2)


def test_strength_goes_from_the_model_as_it_was_to_what_was_trained(model):
    base = predicted(model)
    network = stirred(Full().attach(model, BOTH, 0))
    trained = predicted(model)
    assert not torch.allclose(trained, base, atol=1e-2)
    network.set_strength(0)
    assert torch.equal(predicted(model), base)
    network.set_strength(0.5)
    half = network.tensors()["unet.conv_in.weight"].clone()
    network.set_strength(1)
    assert torch.equal(predicted(model), trained)
    ends = [network.tensors()["unet.conv_in.weight"].clone()]
    network.detach()
    assert torch.equal(predicted(model), base)
    ends.append(model.parts["unet"].conv_in.weight.data)
    assert torch.allclose(half, sum(ends) / 2, atol=1e-6)
    assert not any(weight.requires_grad for part in model.parts.values() for weight in part.parameters())


def test_gradients_survive_a_look_at_the_model_as_it_was(model):
    """As the prior of a DreamBooth training takes it, between a forward pass and its backward pass."""
    network = Full().attach(model, BOTH, 0)
    weights = network.parameters("unet")
    wanted = torch.autograd.grad(answer(model).square().mean(), weights, allow_unused=True)
    loss = answer(model).square().mean()
    network.set_strength(0)
    predicted(model)
    network.set_strength(1)
    found = torch.autograd.grad(loss, weights, allow_unused=True)
    assert all(torch.equal(one, other) for one, other in zip(wanted, found, strict=True) if one is not None)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_checkpoint_opens_on_another_of_its_kind_and_leaves_it_as_it_was(files, tmp_path, dtype):
    other = miniature_checkpoint(tmp_path / "other.safetensors", seed=7)
    model = loaded(files["sd1"], dtype)
    base, wanted = predicted(model), predicted(loaded(other, dtype))
    network = open_network(model, other)
    assert torch.equal(predicted(model), wanted)
    network.detach()
    assert torch.equal(predicted(model), base)


def test_a_checkpoint_of_another_family_is_refused(files, model):
    with pytest.raises(ModelError, match=r"sdxl\.safetensors: .*weights of sd1\.safetensors are not in the checkpoint"):
        open_network(model, files["sdxl"])
