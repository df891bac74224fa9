"""LoRA's further options: what each changes, against figures worked out by hand."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from torch import nn  # noqa: E402

from lib_trainer.core.errors import ConfigError  # noqa: E402
from lib_trainer.models.checkpoints import read_outline  # noqa: E402
from lib_trainer.models.loading import load_model  # noqa: E402
from lib_trainer.trainables.block_ranks import BlockRanks  # noqa: E402
from lib_trainer.trainables.lora import Lora  # noqa: E402
from lib_trainer.trainables.lora_layers import LoraConv, LoraLinear, lora_delta, product_norm  # noqa: E402
from tests.models.miniature import miniature_checkpoint  # noqa: E402


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return miniature_checkpoint(tmp_path_factory.mktemp("models") / "mini.safetensors")


@pytest.fixture
def model(file):
    return load_model(file, torch.float32, torch.device("cpu"))


LAYERS = {
    "linear": (lambda: nn.Linear(6, 5), lambda: torch.eye(6), LoraLinear),
    "3x3": (lambda: nn.Conv2d(6, 5, 3, padding=1), lambda: torch.randn(1, 6, 4, 4), LoraConv),
}


@pytest.fixture(params=LAYERS.keys())
def layer(request):
    """A layer of rank 4 that adds something, an input, and what the frozen module alone gives for it."""
    make, x, kind = LAYERS[request.param]
    torch.manual_seed(0)
    frozen = make().requires_grad_(False)
    x = x()
    alone = frozen(x)
    made = kind(frozen, 4, 4.0)
    made.down.data.normal_()
    made.up.data.normal_()
    return made, x, alone


def only_one_direction(layer):
    """Has the layer add one of its rank's directions after the other, and all of them in the end."""
    layer.train(False)
    full = layer.up.data.clone()
    for direction in range(layer.rank):
        layer.up.data.zero_()[:, direction] = full[:, direction]
        yield direction
    layer.up.data.copy_(full)


@pytest.mark.option("Lora.rank_dropout")
def test_rank_dropout_leaves_out_directions_and_makes_up_for_them(layer, model):
    made, x, alone = layer
    made.rank_dropout = 0.5
    directions = [(made(x) - alone).detach() for _ in only_one_direction(made)]
    made.train(True)
    seen = set()
    for _ in range(40):
        shares = torch.linalg.lstsq(torch.stack([each.flatten() for each in directions], 1),
                                    (made(x) - alone).flatten()[:, None]).solution
        assert torch.allclose(shares, 2 * (shares > 1).float(), atol=1e-2)
        seen.add(tuple((shares > 1).flatten().tolist()))
    assert len(seen) > 8
    network = Lora(rank=2, conv_rank=2, rank_dropout=0.25).attach(model, ["unet"], 0)
    assert {each.rank_dropout for each in network._layers.values()} == {0.25}


@pytest.mark.option("Lora.module_dropout")
def test_module_dropout_leaves_out_the_whole_layer_or_nothing(layer, model):
    made, x, alone = layer
    made.module_dropout = 0.5
    made.train(False)
    whole = made(x)
    made.train(True)
    seen = set()
    for _ in range(40):
        y = made(x)
        is_whole, is_none = torch.allclose(y, whole, atol=1e-5), torch.allclose(y, alone, atol=1e-5)
        assert is_whole != is_none
        seen.add(is_whole)
    assert seen == {True, False}
    network = Lora(rank=2, conv_rank=2, module_dropout=0.25).attach(model, ["unet"], 0)
    assert {each.module_dropout for each in network._layers.values()} == {0.25}


def test_a_layer_left_out_still_has_a_gradient_of_nought(layer):
    made, x, _ = layer
    made.module_dropout = 1.0
    made.train(True)
    made(x).sum().backward()
    assert not made.down.grad.any()
    assert not made.up.grad.any()


@pytest.mark.option("Lora.max_norm")
def test_the_norm_of_what_is_added_is_limited_and_smaller_ones_stay(layer, model):
    made, _, _ = layer
    norm = float(lora_delta(made.down, made.up, made.scale).detach().norm())
    assert float(product_norm(made.down, made.up).detach()) == pytest.approx(norm, rel=1e-5)
    before = made.up.detach().clone()
    made.max_norm = norm * 2
    made.settle()
    assert torch.equal(made.up, before)
    made.max_norm = norm / 4
    made.settle()
    assert float(lora_delta(made.down, made.up, made.scale).detach().norm()) == pytest.approx(norm / 4, rel=1e-4)
    assert torch.allclose(made.up, before / 2, rtol=1e-4)
    network = Lora(max_norm=1.5).attach(model, ["unet"], 0)
    assert {each.max_norm for each in network._layers.values()} == {1.5}


@pytest.mark.option("Lora.rank_stabilised")
def test_the_stabilised_scale_is_what_loaders_get_by_dividing_by_the_rank(model):
    tensors = Lora(rank=9, alpha=2.0, conv_rank=4, conv_alpha=1.0, rank_stabilised=True).attach(
        model, ["unet"], 0).tensors()
    scales = {float(tensor) / len(tensors[name.replace("alpha", "lora_down.weight")])
              for name, tensor in tensors.items() if name.endswith("alpha")}
    assert sorted(scales) == pytest.approx([1.0 / math.sqrt(4), 2.0 / math.sqrt(9)])


@pytest.mark.option("Lora.block_ranks")
def test_some_blocks_have_ranks_of_their_own_at_the_same_scale(file, model):
    options = Lora(rank=4, alpha=2.0, block_ranks=BlockRanks.parse("mid_block*attn2=6, mid_block=0, te_text*mlp=2"))
    parts = ["unet", "text_encoder"]
    network = options.attach(model, parts, 0)
    ranks = {name.removesuffix(".lora_down.weight"): tensor.shape[0]
             for name, tensor in network.tensors().items() if name.endswith("lora_down.weight")}
    assert {rank for name, rank in ranks.items() if "mid_block" in name} == {6}
    assert all("attn2" in name for name in ranks if "mid_block" in name)
    assert {rank for name, rank in ranks.items() if "_mlp_" in name} == {2}
    assert {rank for name, rank in ranks.items() if "down_blocks" in name} == {4}
    assert {float(network.tensors()[f"{name}.alpha"]) / rank for name, rank in ranks.items()} == {0.5}
    outline = options.outline(read_outline(file), parts, True)
    assert sorted(outline.trained) == sorted(tuple(t.shape) for part in parts for t in network.parameters(part))
    assert outline.metadata == network.metadata()
    assert network.metadata()["ss_network_dim"] == "Dynamic"


def test_a_block_that_is_in_no_layers_name_is_named(model):
    with pytest.raises(ConfigError, match=r"'trainable\.block_ranks' has 'mitt', which is in the name of no layer"):
        Lora(block_ranks=BlockRanks.parse("mitt=3")).attach(model, ["unet"], 0)


@pytest.mark.parametrize("text", ["mid_block", "=3", "mid_block=many", "mid_block=-1", "mid_block=1025"])
def test_odd_pairs_are_refused(text):
    with pytest.raises(ConfigError, match="no pair of a block and its rank"):
        BlockRanks.parse(text)


def test_pairs_are_written_as_they_are_read():
    text = "mid_block=32, up_blocks_1*=8"
    assert str(BlockRanks.parse(text)) == text
    assert BlockRanks.parse(" ") == BlockRanks()


@pytest.mark.option("Lora.up_rate_ratio")
def test_the_second_matrices_have_a_learning_rate_of_their_own(model):
    network = Lora(up_rate_ratio=16.0).attach(model, ["unet"], 0)
    groups = dict(network.groups("unet"))
    assert groups.keys() == {1.0, 16.0}
    ups = [tensor for name, tensor in network.tensors().items() if name.endswith("lora_up.weight")]
    assert [tensor.data_ptr() for tensor in groups[16.0]] == [tensor.data_ptr() for tensor in ups]
    network.detach()
    assert list(dict(Lora().attach(model, ["unet"], 0).groups("unet"))) == [1.0]
