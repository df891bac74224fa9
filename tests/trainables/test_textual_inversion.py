"""Textual inversion: how a word starts, keeps its lengths, goes into files and comes out of them."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import ConfigError, ModelError  # noqa: E402
from lib_trainer.models.checkpoints import read_outline  # noqa: E402
from lib_trainer.models.loading import load_model  # noqa: E402
from lib_trainer.trainables.bundled_words import NetworkWithWords  # noqa: E402
from lib_trainer.trainables.lora import Lora  # noqa: E402
from lib_trainer.trainables.textual_inversion import TextualInversion  # noqa: E402
from lib_trainer.weights.embeddings import write_webui_embedding  # noqa: E402
from lib_trainer.weights.networks import check_matches, open_network, write_network  # noqa: E402
from tests.models.families import CHECKPOINTS  # noqa: E402
from tests.models.miniature import miniature_checkpoint  # noqa: E402

RED, APPLE = 736, 3055
FILES = {"sd1": miniature_checkpoint, **CHECKPOINTS}
TENSORS = {"sd1": {"emb_params"}, "sd2": {"emb_params"}, "sdxl": {"clip_l", "clip_g"}}
PARTS = ["unet", "text_encoder"]


@pytest.fixture(scope="module", params=list(FILES))
def family(request):
    return request.param


@pytest.fixture(scope="module")
def file(family, tmp_path_factory):
    return FILES[family](tmp_path_factory.mktemp("models") / f"{family}.safetensors")


@pytest.fixture
def model(file):
    return load_model(file, torch.float32, torch.device("cpu"))


def said(model, text):
    with torch.no_grad():
        return model.encode_text(model.tokenize([text]), 1)


def stirred(network, part="text_encoder"):
    random = torch.Generator().manual_seed(1)
    for tensor in network.parameters(part):
        tensor.data += torch.randn(tensor.shape, generator=random) * 0.1
    return network


@pytest.mark.option("TextualInversion.initial_text", "TextualInversion.vectors", "TextualInversion.token")
def test_a_word_starts_as_its_initial_text_each_token_as_often_as_the_others(model):
    wanted = said(model, "red red apple apple")
    network = TextualInversion("openmoji", vectors=4, initial_text="red apple").attach(model, PARTS, 0)
    assert torch.equal(said(model, "OpenMoji"), wanted)
    network.set_strength(0)
    assert not torch.equal(said(model, "openmoji"), wanted)
    network.set_strength(0.5)
    assert torch.equal(said(model, "openmoji"), wanted)
    network.detach()
    assert not torch.equal(said(model, "openmoji"), wanted)


def test_without_initial_text_vectors_are_as_long_as_tokens_and_by_the_seed(model):
    tables = model.extra_words.tables
    one = TextualInversion("one", vectors=8).attach(model, PARTS, 5).tensors()
    for name, rows in one.items():
        weight = tables[name].weight.float()
        assert rows.shape == (8, weight.shape[1])
        assert float(rows.detach().norm(dim=1).mean()) == pytest.approx(float(weight.norm(dim=1).mean()), rel=0.05)
    again = TextualInversion("two", vectors=8).attach(model, PARTS, 5).tensors()
    other = TextualInversion("three", vectors=8).attach(model, PARTS, 6).tensors()
    assert all(torch.equal(one[name], again[name]) and not torch.equal(one[name], other[name]) for name in one)


@pytest.mark.option("TextualInversion.keep_norm")
def test_lengths_are_kept_where_that_is_asked_for(model):
    kept = TextualInversion("kept", vectors=2, initial_text="red apple").attach(model, PARTS, 0)
    free = TextualInversion("free", vectors=2, initial_text="red apple", keep_norm=False).attach(model, PARTS, 0)
    before = {name: tensor.norm(dim=1) for name, tensor in kept.tensors().items()}
    for network in (stirred(kept), stirred(free)):
        network.settle()
    for name, lengths in before.items():
        assert torch.allclose(kept.tensors()[name].norm(dim=1), lengths, rtol=1e-5)
        assert not torch.allclose(free.tensors()[name].norm(dim=1), lengths, rtol=1e-3)


def test_only_the_words_vectors_are_trained_with_the_text_encoders_rate(model):
    network = TextualInversion("openmoji").attach(model, PARTS, 0)
    assert network.parameters("unet") == [] == network.groups("unet")
    ((factor, tensors),) = network.groups("text_encoder")
    assert factor == 1 and {tensor.shape[0] for tensor in tensors} == {4}
    said_now = model.encode_text(model.tokenize(["an openmoji"]), 1)
    said_now.square().sum().backward()
    assert all(tensor.grad.any() for tensor in tensors)
    assert all(tensor.grad is None for part in model.parts.values() for tensor in part.parameters())


@pytest.mark.parametrize("family", ["sdxl"], indirect=True)
def test_each_text_encoder_of_sdxl_may_have_a_rate_of_its_own(file):
    options, parts = TextualInversion("openmoji", vectors=2), ["unet", "first_text_encoder"]
    model = load_model(file, torch.float32, torch.device("cpu"))
    network = options.attach(model, parts, 0)
    rows = network.tensors()
    assert network.parameters("first_text_encoder") == [rows["clip_l"]] and not rows["clip_g"].requires_grad
    assert network.groups("second_text_encoder") == []
    assert options.outline(read_outline(file), parts, False).trained == [tuple(rows["clip_l"].shape)]
    network.detach()
    network = options.attach(model, [*parts, "second_text_encoder"], 0)
    assert network.parameters("second_text_encoder") == [network.tensors()["clip_g"]]


def test_the_outline_is_what_is_attached(model, family):
    options = TextualInversion("openmoji", vectors=3)
    outline = options.outline(read_outline(model.path), PARTS, False)
    tensors = options.attach(model, PARTS, 0).tensors()
    assert outline.file == {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    assert sorted(outline.trained) == sorted(outline.file.values()) and set(tensors) == TENSORS[family]
    assert outline.metadata == {"name": "openmoji"}


def test_vectors_stay_in_32_bits_where_the_model_computes_in_16(file):
    found = []
    for dtype in (torch.float32, torch.bfloat16):
        model = load_model(file, dtype, torch.device("cpu"))
        network = TextualInversion("openmoji", vectors=2).attach(model, PARTS, 0)
        said_now = model.encode_text(model.tokenize(["an openmoji"]), 1)
        assert said_now.dtype == dtype
        found.append(torch.autograd.grad(said_now.float().square().mean(), network.parameters("text_encoder")))
    assert {gradient.dtype for gradient in found[1]} == {torch.float32}
    for one, other in zip(*found, strict=True):
        assert one.norm() > 0 and (one - other).norm() < 0.2 * one.norm()


@pytest.mark.parametrize("ending", [".safetensors", ".pt"])
def test_the_file_says_the_same_under_its_own_name_and_the_words(model, tmp_path, ending):
    network = stirred(TextualInversion("openmoji", vectors=2).attach(model, PARTS, 0))
    wanted = said(model, "a cat, openmoji")
    path = tmp_path / f"style-e003{ending}"
    if ending == ".pt":
        write_webui_embedding(path, network.tensors(), torch.float32, "openmoji", 3)
    else:
        write_network(path, network.tensors(), torch.float32, network.metadata())
    network.detach()
    found = open_network(model, path)
    assert torch.equal(said(model, "a cat, style-e003"), wanted)
    if ending == ".safetensors" or len(found.tensors()) == 1:  # A1111 has no place for the name in its .pt for SDXL
        assert torch.equal(said(model, "a cat, openmoji"), wanted)
    found.detach()
    assert not torch.equal(said(model, "a cat, style-e003"), wanted)


def test_a_word_in_a_loras_file_comes_out_with_it(model, tmp_path, family):
    lora = Lora(rank=2).attach(model, ["unet"], 0)
    word = TextualInversion("my style", vectors=2).start(model, 0, dict.fromkeys(TENSORS[family], "word"))
    both = stirred(stirred(NetworkWithWords(lora, [word]), "word"), "unet")
    wanted, before = said(model, "a cat, my style"), {name: t.clone() for name, t in both.tensors().items()}
    bundled = {name for name in before if name.startswith("bundle_emb.")}
    assert bundled == {
        f"bundle_emb.my style.{'string_to_param.*' if name == 'emb_params' else name}" for name in TENSORS[family]
    }
    path = tmp_path / "both.safetensors"
    write_network(path, both.tensors(), torch.float32, both.metadata())
    check_matches(model, path, both)
    both.set_strength(0)
    assert not torch.equal(said(model, "a cat, my style"), wanted)
    both.detach()
    found = open_network(model, path)
    assert torch.equal(said(model, "a cat, my style"), wanted)
    assert all(torch.equal(tensor, before[name]) for name, tensor in found.tensors().items())
    found.detach()
    assert not torch.equal(said(model, "a cat, my style"), wanted)


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"token": " "}, "'trainable.token' is empty; give the word"),
        ({"token": "my.style"}, r"'\.' can't be in such a word"),
        ({"token": "mystyle", "vectors": 1, "initial_text": "red apple"}, "has 2 tokens, but 'vectors' is 1"),
    ],
)
def test_what_is_no_word_is_refused(model, told, message):
    with pytest.raises(ConfigError, match=message):
        TextualInversion(**told).attach(model, PARTS, 0)


def test_a_text_rate_of_nought_is_refused(model):
    with pytest.raises(ConfigError, match="'text_encoder_learning_rate' is 0"):
        TextualInversion("mystyle").attach(model, ["unet"], 0)


def test_an_embedding_of_another_width_or_family_is_refused_by_name(model, tmp_path):
    path = tmp_path / "wide.safetensors"
    write_network(path, {"emb_params": torch.zeros(2, 4096)}, torch.float32, {})
    with pytest.raises(ModelError, match=r"wide\.safetensors: its vectors are emb_params of 4096 values; sd"):
        open_network(model, path)
