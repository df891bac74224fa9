"""The plain blocks inside a whole model, against diffusers' and transformers' own, with a LoRA riding on them."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.models import lean_functions  # noqa: E402
from lib_trainer.trainables.lora import Lora  # noqa: E402

BOTH = ["unet", "text_encoder"]
KEEP_ALL, KEEP_NONE = 10**9, 0


@pytest.fixture
def network(model):
    """A LoRA that changes something, on both parts."""
    network = Lora(rank=4, alpha=2.0).attach(model, BOTH, 0)
    for part in BOTH:
        for tensor in network.parameters(part):
            tensor.data.normal_(std=0.05, generator=torch.Generator().manual_seed(len(tensor)))
    return network


def answer(model, count=2):
    random = torch.Generator().manual_seed(0)
    text = model.encode_text(model.tokenize(["a cat", "two dogs"][:count]), 1)
    return model.predict(torch.randn(count, 4, 8, 8, generator=random), torch.arange(count) * 300, text)


def gradients(model, network, count=2):
    loss = answer(model, count).float().square().sum()
    return torch.autograd.grad(loss, [tensor for part in BOTH for tensor in network.parameters(part)])


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_what_is_computed_again_gives_the_same_gradients(model, network, monkeypatch, count, dtype):
    found = []
    for worth in (KEEP_ALL, KEEP_NONE):
        monkeypatch.setattr(lean_functions, "WORTH_COMPUTING_AGAIN", worth)
        with torch.autocast("cpu", dtype=dtype, enabled=dtype != torch.float32):
            found.append(gradients(model, network, count))
    assert all(tensor.abs().sum() > 0 for tensor in found[0])
    assert all(map(torch.equal, *found))


def test_gradients_of_the_whole_are_those_of_the_libraries_own_blocks(model, network, pipeline, monkeypatch):
    """The libraries' blocks have the frozen weights with the network's additions, and give the text's gradient."""
    monkeypatch.setattr(lean_functions, "WORTH_COMPUTING_AGAIN", KEEP_NONE)
    from lib_trainer.trainables.lora_layers import lora_delta

    layers = {id(layer.frozen[0]): layer for layer in network._layers.values()}
    random = torch.Generator().manual_seed(0)
    noisy = torch.randn(2, 4, 8, 8, generator=random)
    text = torch.randn(2, 77, 64, generator=random)
    found = []
    for theirs in (False, True):
        x, context = noisy.clone().requires_grad_(), text.clone().requires_grad_()
        if theirs:
            import copy

            unet = copy.deepcopy(pipeline.unet)
            for name, module in model.parts["unet"].named_modules():
                if layer := layers.get(id(module)):
                    unet.get_submodule(name).weight.data += lora_delta(layer.down, layer.up, layer.scale).detach()
            y = unet(x, torch.tensor([10, 700]), context).sample
        else:
            y = model.predict(x, torch.tensor([10, 700]), context)
        found.append((y, *torch.autograd.grad(y.square().sum(), (x, context))))
    for ours, their in zip(*found, strict=True):
        assert torch.allclose(ours, their, atol=1e-4, rtol=1e-3)


def test_checkpointing_computes_the_blocks_again_and_gives_the_same_gradients(model, network, monkeypatch):
    monkeypatch.setattr(lean_functions, "WORTH_COMPUTING_AGAIN", KEEP_NONE)
    plain = gradients(model, network)
    calls = []
    block = next(module for module in model.parts["unet"].modules() if type(module).__name__ == "BasicTransformerBlock")
    block.register_forward_pre_hook(lambda *_: calls.append(1))
    model.parts["unet"].train().enable_gradient_checkpointing()
    model.parts["text_encoder"].train().gradient_checkpointing_enable()
    checkpointed = gradients(model, network)
    assert len(calls) == 2
    assert all(torch.allclose(ours, theirs, atol=1e-6) for ours, theirs in zip(plain, checkpointed, strict=True))


def test_without_gradients_the_answer_is_the_same(model, network, monkeypatch):
    monkeypatch.setattr(lean_functions, "WORTH_COMPUTING_AGAIN", KEEP_NONE)
    with_gradients = answer(model)
    with torch.no_grad():
        assert torch.equal(answer(model), with_gradients)
