"""Which modules get a LoRA layer, under which names, and opening files onto a model."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import ModelError  # noqa: E402
from lib_trainer.models.loading import load_model  # noqa: E402
from lib_trainer.trainables.lora import Lora  # noqa: E402
from tests.models.miniature import FULL, hollow_checkpoint, miniature_checkpoint  # noqa: E402

REFERENCE = Path(__file__).parents[1] / "reference"
BOTH = ["unet", "text_encoder"]


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """Stable Diffusion 1.5 as a file without content (a hole of zeros), on a device without memory."""
    path = hollow_checkpoint(tmp_path_factory.mktemp("full") / "full.safetensors", FULL)
    model = load_model(path, torch.float16, torch.device("meta"))
    yield model, model.parts
    path.unlink()


@pytest.fixture
def miniature(tmp_path):
    return load_model(miniature_checkpoint(tmp_path / "mini.safetensors"), torch.float32, torch.device("cpu"))


def shapes(tensors):
    return {name: list(tensor.shape) for name, tensor in tensors.items()}


@pytest.mark.parametrize(
    ("options", "reference"),
    [(Lora(rank=8, alpha=8), "sd1_lora_keys.json"), (Lora(rank=8, alpha=8, conv_rank=4), "sd1_locon_keys.json")],
)
@pytest.mark.option("Lora.rank", "Lora.conv_rank")
def test_names_and_shapes_are_those_of_the_files_that_the_webui_reads(full, options, reference):
    model, _ = full
    network = options.attach(model, BOTH, 0)
    expected = json.loads((REFERENCE / reference).read_text(encoding="utf-8"))
    try:
        assert shapes(network.tensors()) == expected
        assert network.matched == len(expected) / 3
    finally:
        network.detach()


@pytest.mark.option("Lora.alpha", "Lora.conv_alpha")
def test_alphas_are_those_of_the_options(miniature):
    tensors = Lora(rank=4, alpha=3.0, conv_rank=2, conv_alpha=0.5).attach(miniature, BOTH, 0).tensors()
    alphas = {
        (tensors[f"{name[:-6]}.lora_down.weight"].shape[2:] == (3, 3), tensor.item())
        for name, tensor in tensors.items()
        if name.endswith(".alpha")
    }
    assert alphas == {(False, 3.0), (True, 0.5)}


def predicted(model, seed=0):
    random = torch.Generator().manual_seed(seed)
    noisy = torch.randn(2, 4, 8, 8, generator=random)
    with torch.no_grad():
        text = model.encode_text(model.tokenize(["a cat", "a dog"]), 1)
        return model.predict(noisy, torch.tensor([100, 900]), text)


def stir(network):
    random = torch.Generator().manual_seed(1)
    for part in BOTH:
        for tensor in network.parameters(part):
            tensor.data.copy_(torch.randn(tensor.shape, generator=random) * 0.2)
    return network


def test_a_new_network_adds_nothing_and_a_detached_one_leaves_the_model_as_it_was(miniature):
    base = predicted(miniature)
    network = Lora(rank=4, conv_rank=2).attach(miniature, BOTH, 0)
    assert torch.allclose(predicted(miniature), base, atol=1e-5)
    stir(network)
    assert not torch.allclose(predicted(miniature), base, atol=0.1)
    network.detach()
    assert torch.equal(predicted(miniature), base)


def test_strength_scales_what_is_added_and_zero_is_the_model_alone(miniature):
    base = predicted(miniature)
    network = stir(Lora(rank=4, conv_rank=2).attach(miniature, BOTH, 0))
    network.set_strength(0)
    assert torch.allclose(predicted(miniature), base, atol=1e-6)
    network.set_strength(0.5)
    half = predicted(miniature)
    network.set_strength(1)
    for tensor in [up for part in BOTH for up in network.parameters(part)[1::2]]:
        tensor.data /= 2
    assert torch.allclose(predicted(miniature), half, atol=1e-5)


@pytest.mark.option("Lora.dropout")
def test_dropout_leaves_values_out_while_training_only(miniature):
    network = stir(Lora(rank=4, conv_rank=2, dropout=0.5).attach(miniature, BOTH, 0))
    network.train(True)
    assert not torch.equal(predicted(miniature), predicted(miniature))
    network.train(False)
    assert torch.equal(predicted(miniature), predicted(miniature))


@pytest.mark.option("Lora.dropout")
def test_without_dropout_training_is_the_same_each_time(miniature):
    stir(Lora(rank=4, conv_rank=2).attach(miniature, BOTH, 0)).train(True)
    assert torch.equal(predicted(miniature), predicted(miniature))


def test_the_first_weights_follow_from_the_seed_and_are_spread_as_a_new_layers(miniature):
    networks = []
    for seed in (1, 1, 2):
        network = Lora(rank=4).attach(miniature, BOTH, seed)
        networks.append({name: tensor.clone() for name, tensor in network.tensors().items()})
        network.detach()
    one, same, other = networks
    downs = [name for name in one if name.endswith("lora_down.weight")]
    assert all(torch.equal(one[name], same[name]) and not torch.equal(one[name], other[name]) for name in downs)
    for name in downs:
        bound = 1 / math.sqrt(one[name][0].numel())
        assert 0.9 * bound < one[name].abs().max() <= bound
        assert not one[name.replace("lora_down", "lora_up")].any()


def test_parts_that_are_not_wanted_have_no_layers(miniature):
    network = Lora().attach(miniature, ["text_encoder"], 0)
    assert all(name.startswith("lora_te_text_model_encoder_layers_") for name in network.tensors())
    assert network.parameters("unet") == []
    assert network.matched == 2 * 6


def test_a_network_opened_from_its_tensors_predicts_the_same_to_the_bit(miniature):
    network = stir(Lora(rank=4, alpha=2, conv_rank=2, conv_alpha=0.5).attach(miniature, BOTH, 0))
    wanted = predicted(miniature)
    tensors = {name: tensor.clone() for name, tensor in network.tensors().items()}
    network.detach()
    again = Lora.open(miniature, tensors, {})
    assert torch.equal(predicted(miniature), wanted)
    assert shapes(again.tensors()) == shapes(tensors)
    assert again.matched == network.matched


def test_a_missing_alpha_counts_as_the_rank(miniature):
    network = stir(Lora(rank=4, alpha=4).attach(miniature, ["unet"], 0))
    wanted = predicted(miniature)
    tensors = {name: tensor.clone() for name, tensor in network.tensors().items() if not name.endswith("alpha")}
    network.detach()
    Lora.open(miniature, tensors, {})
    assert torch.equal(predicted(miniature), wanted)


def test_tensors_that_fit_no_module_are_counted_and_named_and_nothing_is_attached(miniature):
    base = predicted(miniature)
    network = stir(Lora(rank=4).attach(miniature, BOTH, 0))
    tensors = {name: tensor.clone() for name, tensor in network.tensors().items()}
    network.detach()
    with pytest.raises(ModelError, match=r"1 of \d+ tensors of the network fit no layer of mini.*lora_unet_odd"):
        Lora.open(miniature, {**tensors, "lora_unet_odd.lora_down.weight": torch.zeros(4, 4)}, {})
    name = next(name for name in tensors if name.endswith("proj_in.lora_down.weight"))
    with pytest.raises(ModelError, match="another kind or size of model"):
        Lora.open(miniature, {**tensors, name: torch.zeros(4, 999)}, {})
    assert torch.equal(predicted(miniature), base)


def test_each_trained_tensor_is_in_fp32_whatever_the_model_is_in(tmp_path):
    path = miniature_checkpoint(tmp_path / "mini.safetensors")
    model = load_model(path, torch.bfloat16, torch.device("cpu"))
    network = Lora(conv_rank=1).attach(model, BOTH, 0)
    assert {tensor.dtype for part in BOTH for tensor in network.parameters(part)} == {torch.float32}


def test_the_header_tells_ranks_and_alphas_as_kohyas_files_do(miniature):
    told = Lora(rank=4, alpha=2, conv_rank=3, conv_alpha=1.5).attach(miniature, BOTH, 0).metadata()
    assert (told["ss_network_module"], told["ss_network_dim"], told["ss_network_alpha"]) == ("networks.lora", "4", "2")
    assert json.loads(told["ss_network_args"]) == {"conv_dim": "3", "conv_alpha": "1.5"}


def test_files_of_the_kind_are_recognised():
    assert Lora.recognises(["lora_unet_a.lora_down.weight", "lora_unet_a.alpha"])
    assert not Lora.recognises(["lora_unet_a.hada_w1_a", "emb_params"])
