"""Hypernetworks: built and named as the WebUI does it, put where it puts them, started unnoticed, opened again."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.configs import Text, load  # noqa: E402
from lib_trainer.core.errors import ConfigError, ModelError  # noqa: E402
from lib_trainer.models.checkpoints import read_outline  # noqa: E402
from lib_trainer.models.loading import load_model  # noqa: E402
from lib_trainer.trainables.hypernetwork import Hypernetwork  # noqa: E402
from lib_trainer.trainables.hypernetwork_structure import structure_of  # noqa: E402
from tests.models.families import CHECKPOINTS  # noqa: E402
from tests.models.miniature import miniature_checkpoint  # noqa: E402

KINDS = {
    "plain": Hypernetwork(),
    "one layer": Hypernetwork(layer_sizes=(1.0, 1.0), activation="relu"),
    "deep": Hypernetwork(layer_sizes=(1.0, 1.5, 2.0, 1.0), activation="swish", layer_norm=True, hidden_dropout=0.3),
    "narrow": Hypernetwork(layer_sizes=(1.0, 0.5, 1.0), activation="softsign"),
}
FUNCTIONS = {
    "relu": lambda x: x.clamp(min=0),
    "swish": lambda x: x * (x + 3).clamp(0, 6) / 6,  # what the WebUI calls so is Hardswish
    "softsign": lambda x: x / (1 + x.abs()),
}
PARTS = ["unet"]


@pytest.fixture(scope="module", params=["sd1", "sd2"])
def file(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / f"{request.param}.safetensors"
    return miniature_checkpoint(path) if request.param == "sd1" else CHECKPOINTS[request.param](path)


@pytest.fixture
def model(file):
    return load_model(file, torch.float32, torch.device("cpu"))


@pytest.fixture(params=KINDS.keys())
def options(request):
    return KINDS[request.param]


def predicted(model):
    noisy = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        text = model.encode_text(model.tokenize(["a cat", "a dog"]), 1)
        return model.predict(noisy, torch.tensor([100, 900]), text)


def stirred(options, model):
    """One that changes something everywhere."""
    network = options.attach(model, PARTS, 0)
    random = torch.Generator().manual_seed(1)
    for tensor in network.parameters("unet"):
        tensor.data += torch.randn(tensor.shape, generator=random) * 0.1
    network.train(False)
    return network


def by_hand(x, tensors, prefix, function):
    """A small network's answer, from its tensors' numbers in the WebUI's list of layers."""
    found = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    numbers = sorted({int(name.split(".")[1]) for name in found})
    y = x
    for number in numbers:
        weight, bias = found[f"linear.{number}.weight"], found[f"linear.{number}.bias"]
        if weight.ndim == 2:
            y = y @ weight.t() + bias
            followed = any(found[f"linear.{later}.weight"].ndim == 2 for later in numbers if later > number)
            y = function(y) if followed else y
        else:
            centred = y - y.mean(-1, keepdim=True)
            y = centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt() * weight + bias
    return x + y


def attention_by_hand(model, tensors, function, strength):
    """Every attention's forward as the WebUI's: the small networks for the context's width, then keys and values."""
    from types import MethodType

    def attend(self, x, context=None, **_):
        context = x if context is None else context
        keys, values = (
            context + strength * (by_hand(context, tensors, f"{context.shape[2]}.{number}.", function) - context)
            for number in (0, 1)
        )
        parts = (self.to_q(x), self.to_k(keys), self.to_v(values))
        q, k, v = (part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in parts)
        weights = (q @ k.transpose(2, 3) * q.shape[3] ** -0.5).softmax(-1)
        return self.to_out[0]((weights @ v).transpose(1, 2).flatten(2))

    for module in model.parts["unet"].modules():
        if type(module).__name__ == "Attention":
            module.forward = MethodType(attend, module)


@pytest.mark.option("Hypernetwork.layer_sizes", "Hypernetwork.layer_norm")
def test_the_outline_is_that_of_the_network_that_is_then_started(file, model, options):
    outline = options.outline(read_outline(file), PARTS, False)
    network = options.attach(model, PARTS, 0)
    assert outline.file == {name: tuple(tensor.shape) for name, tensor in network.tensors().items()}
    assert outline.trained == [tuple(tensor.shape) for tensor in network.parameters("unet")]
    assert outline.metadata == network.metadata()
    assert network.parameters("text_encoder") == []


def test_of_stable_diffusion_1_it_has_the_widths_that_the_webui_offers_for_it(full_header):
    file = Hypernetwork().outline(read_outline(full_header), PARTS, False).file
    assert {int(name.split(".")[0]) for name in file} == {768, 320, 640, 1280}
    assert file["768.1.linear.0.weight"] == (1536, 768) and file["1280.0.linear.1.bias"] == (1280,)
    assert len(file) == 4 * 2 * 4


def test_a_new_one_changes_nothing_and_a_detached_one_leaves_the_model_as_it_was(model, options):
    base = predicted(model)
    network = options.attach(model, PARTS, 0)
    assert torch.equal(predicted(model), base)
    network.detach()
    network = stirred(options, model)
    assert not torch.allclose(predicted(model), base, atol=1e-3)
    network.set_strength(0)
    assert torch.equal(predicted(model), base)
    network.detach()
    assert torch.equal(predicted(model), base)


@pytest.mark.parametrize("strength", [1.0, -0.4])
@pytest.mark.option("Hypernetwork.activation")
def test_attention_written_out_by_hand_as_the_webuis_predicts_the_same(file, model, options, strength):
    network = stirred(options, model)
    network.set_strength(strength)
    ours, tensors = predicted(model), network.tensors()
    other = load_model(file, torch.float32, torch.device("cpu"))
    attention_by_hand(other, tensors, FUNCTIONS.get(options.activation, lambda x: x), strength)
    assert torch.allclose(predicted(other), ours, atol=1e-5, rtol=1e-4)


def test_every_activation_is_the_one_of_its_name_in_the_webuis_list():
    from typing import get_args

    from lib_trainer.trainables.hypernetwork_layers import ACTIVATIONS
    from lib_trainer.trainables.hypernetwork_structure import Activation

    renamed = {"swish": "Hardswish"}
    classes = {name.lower(): name for name in dir(torch.nn.modules.activation)}
    assert {*ACTIVATIONS, "linear"} == set(get_args(Activation))
    for name, kind in ACTIVATIONS.items():
        assert kind.__name__ == (renamed.get(name) or classes[name])


def test_layers_are_numbered_in_the_order_linear_activation_norm_dropout(model):
    names = {name for name in KINDS["deep"].attach(model, PARTS, 0).tensors() if name.startswith("64.0.")}
    assert names == {f"64.0.linear.{number}.{kind}" for number in (0, 2, 4, 6, 8, 9) for kind in ("weight", "bias")}


@pytest.mark.option("Hypernetwork.reads")
def test_it_changes_what_is_read_of_the_text_of_the_picture_or_both(model):
    widths = {}
    for what in ("all", "text", "picture"):
        network = Hypernetwork(reads=what).attach(model, PARTS, 0)
        widths[what] = {int(name.split(".")[0]) for name in network.tensors()}, network.matched
        network.detach()
    assert widths["text"][0] == {64}
    assert widths["all"][0] == widths["picture"][0] | {64}
    assert widths["all"][1] == widths["text"][1] + widths["picture"][1]


@pytest.mark.option("Hypernetwork.weight_init")
@pytest.mark.parametrize(
    ("how", "deviation"),
    # of a weight [128, 64]: 0.01; the root of 2 / (64 + 128); of 2 / 64; as torch's documentation has them
    [("Normal", 0.01), ("XavierUniform", 0.102), ("XavierNormal", 0.102), ("KaimingUniform", 0.1768),
     ("KaimingNormal", 0.1768)],
)  # fmt: skip
def test_first_values_are_drawn_as_wanted_from_the_seed_and_the_last_layer_is_nought(model, how, deviation):
    before = torch.get_rng_state()
    options = Hypernetwork(weight_init=how)
    one, other, third = (options.attach(model, PARTS, seed).tensors() for seed in (3, 3, 4))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(one[name], other[name]) for name in one)
    drawn = one["64.0.linear.0.weight"]
    assert not torch.equal(drawn, third["64.0.linear.0.weight"])
    assert float(drawn.std()) == pytest.approx(deviation, rel=0.03)
    is_uniform = float(drawn.abs().max() / drawn.std()) < 1.8
    assert is_uniform == how.endswith("Uniform")
    assert not one["64.1.linear.1.weight"].any() and not one["64.1.linear.0.bias"].any()


@pytest.mark.option("Hypernetwork.hidden_dropout")
def test_dropout_leaves_out_hidden_values_while_training_and_never_else(model):
    network = stirred(Hypernetwork(hidden_dropout=0.5), model)
    still = predicted(model)
    assert torch.equal(predicted(model), still)
    network.train(True)
    assert not torch.equal(predicted(model), predicted(model))
    told, tensors = network.metadata(), {name: tensor.clone() for name, tensor in network.tensors().items()}
    assert json.loads(told["dropout_structure"]) == [0.0, 0.5, 0.0]
    network.detach()
    Hypernetwork.open(model, tensors, told)
    assert torch.equal(predicted(model), still)


def test_gradients_reach_every_tensor_and_are_those_of_the_attention_by_hand(file, model, options):
    network = stirred(replace(options, hidden_dropout=0.0), model)
    tensors = dict(zip(network.tensors(), network.parameters("unet"), strict=True))
    other = load_model(file, torch.float32, torch.device("cpu"))
    attention_by_hand(other, tensors, FUNCTIONS.get(options.activation, lambda x: x), 1.0)
    found = []
    for each in (model, other):
        text = each.encode_text(each.tokenize(["a cat"]), 1)
        loss = each.predict(torch.ones(1, 4, 8, 8), torch.tensor([500]), text).square().mean()
        found.append(torch.autograd.grad(loss, list(tensors.values())))
    for one, two in zip(*found, strict=True):
        assert torch.allclose(one, two, atol=1e-5, rtol=1e-3)
    assert all(gradient.any() for gradient in found[0])


def test_in_the_arithmetic_of_16_bits_it_predicts_nearly_the_same(file, options):
    found = []
    for dtype in (torch.float32, torch.bfloat16):
        model = load_model(file, dtype, torch.device("cpu"))
        base = predicted(model).float()
        stirred(options, model)
        found.append(predicted(model).float() - base)
    assert (found[0] - found[1]).norm() < 0.2 * found[0].norm()


def test_its_tensors_and_what_it_tells_open_the_same_network_again(model, options):
    network = stirred(options, model)
    wanted, tensors, told = predicted(model), network.tensors(), network.metadata()
    tensors = {name: tensor.clone() for name, tensor in tensors.items()}
    assert Hypernetwork.recognises(tensors)
    network.detach()
    again = Hypernetwork.open(model, tensors, told)
    assert again.matched == network.matched
    assert again.metadata() == told
    assert torch.equal(predicted(model), wanted)


def test_a_file_from_the_first_days_opens_with_what_it_did_not_say_yet(model):
    network = stirred(Hypernetwork(), model)
    wanted = predicted(model)
    former = {
        name.replace("linear.0", "linear1").replace("linear.1", "linear2"): tensor.clone()
        for name, tensor in network.tensors().items()
    }
    network.detach()
    assert Hypernetwork.recognises(former)
    Hypernetwork.open(model, former, {"file_stem": "old"})
    assert torch.equal(predicted(model), wanted)


def test_what_files_do_not_say_is_as_the_webui_takes_it():
    old = structure_of({"use_dropout": "true", "layer_structure": "[1, 2, 2, 1]", "activation_func": '"relu"'})
    assert (old.activate_output, old.is_layer_norm) == (True, False)
    assert old.dropout_structure == (0.0, 0.3, 0.0, 0.0)
    assert structure_of({"activation_func": "null"}).activation_func == "linear"


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"activation_func": '"softmax"'}, r"the activation 'softmax'; known are linear, relu"),
        ({"layer_structure": "[1, 2]"}, r"layers are \[1, 2\]"),
        ({"dropout_structure": "[0, 0]"}, r"does not go together"),
    ],
)
def test_a_file_that_says_what_cant_be_is_refused(model, told, message):
    tensors = Hypernetwork().attach(model, PARTS, 0).tensors()
    with pytest.raises(ModelError, match=message):
        Hypernetwork.open(model, tensors, told)


def test_a_file_for_widths_that_the_model_does_not_read_is_refused(model):
    network = Hypernetwork().attach(model, PARTS, 0)
    tensors, told = network.tensors(), network.metadata()
    with pytest.raises(ModelError, match=r"1 of 17 tensors .* fit nothing that \w+\.safetensors reads \(1024\.0"):
        Hypernetwork.open(model, {**{name: tensors[name] for name in list(tensors)[:16]},
                                  "1024.0.linear.0.weight": torch.zeros(2, 2)}, told)


def test_on_sdxl_a_file_is_refused(tmp_path):
    model = load_model(CHECKPOINTS["sdxl"](tmp_path / "xl.safetensors"), torch.float32, torch.device("cpu"))
    with pytest.raises(ModelError, match=r"work with Stable Diffusion 1 and 2 alone, not with xl\.safetensors"):
        Hypernetwork.open(model, {}, {})


@pytest.mark.parametrize("parts", [["unet", "text_encoder"], []])
def test_other_parts_than_the_unet_are_refused_before_anything_starts(file, model, parts):
    wanted = "'text_encoder_learning_rate' to 0" if parts else "'learning_rate' is 0"
    for start in (lambda: Hypernetwork().attach(model, parts, 0),
                  lambda: Hypernetwork().outline(read_outline(file), parts, False)):
        with pytest.raises(ConfigError, match=wanted):
            start()


@pytest.mark.parametrize("layers", [["1"], ["2", "1"], ["1", "3"], []])
def test_layers_that_do_not_begin_and_end_with_the_width_are_refused(layers):
    with pytest.raises(ConfigError, match=r"'trainable\.layer_sizes' is .*; the first and the last must be 1"):
        load(Hypernetwork, {"layer_sizes": [Text(each) for each in layers]})


@pytest.mark.option("Hypernetwork.start_from")
def test_training_goes_on_from_a_file_of_the_same_structure_alone(model, tmp_path):
    options = Hypernetwork(activation="relu")
    network = stirred(options, model)
    wanted, path = predicted(model), tmp_path / "first.pt"
    plain = {name: json.loads(text) for name, text in network.metadata().items()}
    torch.save({**network.tensors(), **plain}, path)
    network.detach()
    options.attach(model, PARTS, 5).detach()
    going_on = replace(options, start_from=path).attach(model, PARTS, 5)
    assert torch.equal(predicted(model), wanted)
    going_on.detach()
    base = predicted(model)
    for odd, message in (({"activation": "tanh"}, "activation_func is relu where .* is tanh"),
                         ({"layer_sizes": (1.0, 3.0, 1.0)}, "first.pt; .*Give the options of the network")):
        with pytest.raises(ConfigError, match=message):
            replace(options, start_from=path, **odd).attach(model, PARTS, 5)
    assert torch.equal(predicted(model), base)
