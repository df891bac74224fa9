"""Every kind of network: its file is what loaders add by hand, its outline what it then is, and it opens again."""

from __future__ import annotations

import json

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import ConfigError, ModelError  # noqa: E402
from lib_trainer.models.checkpoints import read_outline  # noqa: E402
from lib_trainer.models.loading import load_model  # noqa: E402
from lib_trainer.trainables import TRAINABLES  # noqa: E402
from lib_trainer.trainables.difference import Difference  # noqa: E402
from lib_trainer.trainables.dora import Dora  # noqa: E402
from lib_trainer.trainables.file_names import in_original_names  # noqa: E402
from lib_trainer.trainables.loha import Loha  # noqa: E402
from lib_trainer.trainables.lokr import Lokr, split_size  # noqa: E402
from lib_trainer.trainables.lora import Lora  # noqa: E402
from lib_trainer.trainables.norms import Norms  # noqa: E402
from lib_trainer.weights.networks import check_matches, open_network, write_network  # noqa: E402
from tests.models.miniature import miniature_checkpoint  # noqa: E402
from tests.trainables.merging import merge  # noqa: E402

KINDS = {
    "lora": Lora(rank=3, alpha=2.0, conv_rank=2, conv_alpha=0.5),
    "dora": Dora(rank=3, alpha=2.0, conv_rank=2, conv_alpha=0.5),
    "dora, no convolutions": Dora(rank=3),
    "loha": Loha(rank=3, alpha=2.0, conv_rank=2, conv_alpha=0.5),
    "loha, no convolutions": Loha(alpha=2.0, rank=3),
    "loha, tucker": Loha(rank=2, alpha=1.0, conv_rank=2, conv_alpha=0.5, tucker=True),
    "lokr, factors in both": Lokr(rank=2, alpha=3.0, factor=8, convolutions=True, factor_both=True),
    "lokr, factors in the small one alone": Lokr(rank=2, alpha=3.0, factor=8, full=True, factor_both=True),
    "lokr, tucker": Lokr(rank=2, alpha=3.0, factor=4, convolutions=True, tucker=True),
    "lokr": Lokr(rank=2, alpha=3.0, factor=4, convolutions=True),
    "lokr, no convolutions": Lokr(rank=2, alpha=3.0),
    "lokr, full": Lokr(full=True, factor=0, convolutions=True),
    "difference": Difference(convolutions=True),
    "difference, no biases": Difference(biases=False),
    "norms": Norms(),
}


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return miniature_checkpoint(tmp_path_factory.mktemp("models") / "mini.safetensors")


@pytest.fixture
def model(file):
    return load_model(file, torch.float32, torch.device("cpu"))


@pytest.fixture(params=KINDS.keys())
def options(request):
    return KINDS[request.param]


def parts_of(options):
    return ["unet"] if isinstance(options, Norms) else ["unet", "text_encoder"]


def predicted(model):
    noisy = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        text = model.encode_text(model.tokenize(["a cat", "a dog"]), 1)
        return model.predict(noisy, torch.tensor([100, 900]), text)


def stirred(options, model):
    """A network that adds something everywhere."""
    network = options.attach(model, parts_of(options), 0)
    random = torch.Generator().manual_seed(1)
    for part in parts_of(options):
        for tensor in network.parameters(part):
            tensor.data += torch.randn(tensor.shape, generator=random) * 0.1
    return network


def copies(network):
    return {name: tensor.clone() for name, tensor in network.tensors().items()}


def test_each_entry_of_the_table_that_makes_loras_is_among_the_kinds_that_are_tested():
    loras = {name for name, entry in TRAINABLES if entry.output == "lora"}
    assert {TRAINABLES.name_of(type(options)) for options in KINDS.values()} == loras


@pytest.mark.parametrize("original", [False, True])
@pytest.mark.option("Loha.tucker", "Lokr.tucker", "Lokr.factor_both")
@pytest.mark.option("Dora.conv_rank", "Loha.conv_rank", "Lokr.convolutions", "Difference.convolutions")
@pytest.mark.option("Dora.rank", "Loha.rank", "Lokr.rank", "Difference.biases", "Lokr.full", "Lokr.factor")
def test_the_outline_is_that_of_the_network_that_is_then_started(file, model, options, original):
    parts = parts_of(options)
    outline = options.outline(read_outline(file), parts, original)
    network = options.attach(model, parts, 0)
    tensors = in_original_names(model, network.tensors()) if original else network.tensors()
    assert outline.file == {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    assert outline.metadata == network.metadata()
    trained = [tuple(tensor.shape) for part in parts for tensor in network.parameters(part)]
    assert sorted(outline.trained) == sorted(trained)


def test_a_new_one_adds_nothing_and_a_detached_one_leaves_the_model_as_it_was(model, options):
    base = predicted(model)
    network = options.attach(model, parts_of(options), 0)
    assert torch.allclose(predicted(model), base, atol=1e-5)
    network.detach()
    network = stirred(options, model)
    assert not torch.allclose(predicted(model), base, atol=1e-3)
    network.set_strength(0)
    assert torch.allclose(predicted(model), base, atol=1e-6)
    network.detach()
    assert torch.equal(predicted(model), base)


@pytest.mark.option("Dora.alpha", "Dora.conv_alpha", "Loha.alpha", "Loha.conv_alpha", "Lokr.alpha")
def test_a_model_with_the_files_additions_merged_by_hand_predicts_the_same(file, model, options):
    network = stirred(options, model)
    ours, tensors = predicted(model), copies(network)
    told = {float(tensor) for name, tensor in tensors.items() if name.endswith(".alpha")}
    wanted = {getattr(options, name) for name in ("alpha", "conv_alpha") if hasattr(options, name)}
    assert told <= wanted
    merged = load_model(file, torch.float32, torch.device("cpu"))
    assert merge(merged, tensors) == network.matched
    assert torch.allclose(predicted(merged), ours, atol=2e-4, rtol=1e-4)


def test_gradients_are_those_of_a_model_computed_without_our_backward_passes(model, options):
    network = stirred(options, model)
    parameters = [tensor for part in parts_of(options) for tensor in network.parameters(part)]

    def gradients():
        text = model.encode_text(model.tokenize(["a cat"]), 1)
        noisy = torch.ones(1, 4, 8, 8)
        loss = model.predict(noisy, torch.tensor([500]), text).square().mean()
        return torch.autograd.grad(loss, parameters)

    ours = gradients()
    for part in model.parts.values():
        part.requires_grad_(True)  # layers leave it all to PyTorch then
    for one, other in zip(ours, gradients(), strict=True):
        assert torch.allclose(one, other, atol=1e-5, rtol=1e-3)


def test_in_the_arithmetic_of_16_bits_gradients_are_in_32_and_near(file, options):
    found = []
    for dtype in (torch.float32, torch.bfloat16):
        model = load_model(file, dtype, torch.device("cpu"))
        network = stirred(options, model)
        parameters = network.parameters("unet")
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype != torch.float32):
            text = model.encode_text(model.tokenize(["a cat"]), 1)
            answer = model.predict(torch.ones(1, 4, 8, 8, dtype=dtype), torch.tensor([500]), text)
        found.append(torch.autograd.grad(answer.float().square().mean(), parameters))
    assert {gradient.dtype for gradient in found[1]} == {torch.float32}
    one, other = (torch.cat([gradient.flatten() for gradient in each]) for each in found)
    assert (one - other).norm() < 0.2 * one.norm()


@pytest.mark.parametrize("original", [False, True])
def test_its_written_file_opens_with_every_key_matched_and_predicts_the_same(file, model, options, original, tmp_path):
    network = stirred(options, model)
    wanted, tensors, path = predicted(model), network.tensors(), tmp_path / "network.safetensors"
    write_network(
        path, in_original_names(model, tensors) if original else tensors, torch.float32, network.metadata()
    )
    check_matches(model, path, network)
    network.detach()
    again = open_network(model, path)
    assert type(options).recognises(again.tensors())
    assert again.matched == network.matched
    assert torch.equal(predicted(model), wanted)


def test_no_other_kind_takes_its_file(model, options):
    tensors = options.attach(model, parts_of(options), 0).tensors()
    assert [name for name, kind in TRAINABLES if kind.recognises(tensors)] == [TRAINABLES.name_of(type(options))]


def test_a_file_with_a_tensor_too_many_or_of_another_shape_is_refused(model, options):
    network = stirred(options, model)
    tensors = copies(network)
    network.detach()
    with pytest.raises(ModelError, match="tensors of the network fit no layer of mini"):
        type(options).open(model, {**tensors, "lora_unet_odd.diff": torch.zeros(4, 4)}, {})
    name = next(name for name in tensors if not name.endswith(".alpha"))
    with pytest.raises(ModelError, match="another kind or size of model"):
        type(options).open(model, {**tensors, name: torch.zeros(3, 999)}, {})


@pytest.mark.option("Lora.start_from", "Dora.start_from", "Loha.start_from", "Lokr.start_from")
@pytest.mark.option("Difference.start_from", "Norms.start_from")
def test_training_goes_on_from_a_file(model, options, tmp_path):
    from dataclasses import replace

    network = stirred(options, model)
    wanted, path = predicted(model), tmp_path / "first.safetensors"
    write_network(path, in_original_names(model, network.tensors()), torch.float32, {})
    network.detach()
    going_on = replace(options, start_from=path).attach(model, parts_of(options), 5)
    assert torch.equal(predicted(model), wanted)
    going_on.detach()
    odd = Lora(rank=7, start_from=path)
    base = predicted(model)
    with pytest.raises(ConfigError, match=r"'trainable\.start_from' is .*first\.safetensors.*Give the options"):
        odd.attach(model, ["unet"], 0)
    assert torch.equal(predicted(model), base)


def test_a_file_to_start_from_with_another_alpha_is_refused(model, tmp_path):
    network = Lora(rank=2, alpha=2.0).attach(model, ["unet"], 0)
    path = tmp_path / "first.safetensors"
    write_network(path, network.tensors(), torch.float16, {})
    network.detach()
    with pytest.raises(ConfigError, match=r"alpha is 2 there and 1 here"):
        Lora(rank=2, alpha=1.0, start_from=path).attach(model, ["unet"], 0)


def test_norms_of_a_text_encoder_are_refused_before_anything_starts(file, model):
    for start in (lambda: Norms().attach(model, ["text_encoder"], 0),
                  lambda: Norms().outline(read_outline(file), ["unet", "text_encoder"], False)):
        with pytest.raises(ConfigError, match=r"norms finds nothing to ride on in the text_encoder.*'text_encoder_lea"):
            start()


def test_doras_lengths_are_one_for_each_input(model):
    tensors = Dora(rank=2, conv_rank=2).attach(model, ["unet"], 0).tensors()
    for name, lengths in tensors.items():
        if name.endswith("dora_scale"):
            down = tensors[name.replace("dora_scale", "lora_down.weight")]
            assert lengths.shape == (1, down.shape[1], *[1] * (down.ndim - 2))


@pytest.mark.parametrize(
    ("size", "factor", "wanted"),
    [(320, 8, (8, 40)), (320, 0, (16, 20)), (127, 8, (1, 127)), (250, 8, (5, 50)), (4, 16, (2, 2))],
)
def test_sizes_are_split_into_two_factors(size, factor, wanted):
    assert split_size(size, factor) == wanted


def test_full_lokr_files_have_no_alpha_and_lower_ranks_have(model):
    full = Lokr(full=True).attach(model, ["unet"], 0).tensors()
    assert not any(name.endswith(("alpha", "w2_a")) for name in full)
    lower = Lokr(rank=1, alpha=3.0).attach(model, ["unet"], 0).tensors()
    assert any(name.endswith("w2_a") for name in lower)


def test_headers_name_the_algorithm(model):
    told = {name: json.loads(options.attach(model, parts_of(options), 0).metadata().get("ss_network_args", "{}"))
            for name, options in KINDS.items()}
    assert told["dora"]["dora_wd"] == "True"
    names = ("loha", "lokr", "difference", "norms")
    assert [told[name].get("algo") for name in names] == ["loha", "lokr", "full", "full"]


def test_tuckers_cores_and_two_factors_make_files_smaller_and_stand_where_they_should(model):
    """An option that is ignored would leave the names as they are without it."""
    def names(options):
        return {name.partition(".")[2] for name in options.attach(model, ["unet"], 0).tensors()}

    assert names(Loha(rank=2, conv_rank=2, tucker=True)) - names(Loha(rank=2, conv_rank=2)) == {"hada_t1", "hada_t2"}
    plain = names(Lokr(rank=2, convolutions=True))
    assert names(Lokr(rank=2, convolutions=True, tucker=True)) - plain == {"lokr_t2"}
    assert names(Lokr(rank=2, convolutions=True, factor_both=True)) - plain == {"lokr_w1_a", "lokr_w1_b"}


@pytest.mark.option("Dora.rank", "Dora.alpha", "Dora.conv_rank", "Dora.conv_alpha")
@pytest.mark.option("Loha.rank", "Loha.alpha", "Loha.conv_rank", "Loha.conv_alpha")
@pytest.mark.parametrize(("kind", "matrix"), [(Dora, "lora_down.weight"), (Loha, "hada_w1_b")])
def test_files_hold_the_ranks_and_alphas_that_were_asked_for(model, kind, matrix):
    tensors = kind(rank=3, alpha=2.0, conv_rank=5, conv_alpha=0.5).attach(model, ["unet"], 0).tensors()
    stems = [name.removesuffix(f".{matrix}") for name in tensors if name.endswith(f".{matrix}")]
    assert {(tensors[f"{stem}.{matrix}"].shape[0], float(tensors[f"{stem}.alpha"])) for stem in stems} == {
        (3, 2.0), (5, 0.5)
    }  # fmt: skip


@pytest.mark.option("Loha.tucker")
@pytest.mark.parametrize("tucker", [False, True])
def test_cores_of_convolutions_are_in_the_file_where_they_were_asked_for(model, tucker):
    tensors = Loha(conv_rank=2, tucker=tucker).attach(model, ["unet"], 0).tensors()
    assert any(name.endswith(".hada_t1") for name in tensors) is tucker
