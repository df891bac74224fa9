"""What the WebUI's loader adds to a model's weights for a network file, written down by hand for one layer at a time.

After A1111's own description of each kind: products first, scaled by alpha over the rank; DoRA's lengths by input.
"""

from __future__ import annotations

import torch


def merge(model, tensors):
    """Add all that the file's tensors say to the model's own weights and biases; returns how many modules had some."""
    layers = {}
    for name, tensor in tensors.items():
        module, _, suffix = name.partition(".")
        layers.setdefault(module, {})[suffix] = tensor.float()
    modules = {
        model.network_name(part, path): module
        for part, root in model.parts.items()
        for path, module in root.named_modules()
    }
    for name, layer in layers.items():
        module = modules[name]
        module.weight.data += added(layer, module.weight.data)
        for suffix in ("diff_b", "b_norm"):
            if suffix in layer:
                module.bias.data += layer[suffix]
    return len(layers)


def added(layer, weight):
    if "w_norm" in layer:
        return layer["w_norm"]
    if "diff" in layer:
        return layer["diff"]
    if "hada_w1_a" in layer:
        one, two = (factors(layer, f"hada_w{number}", f"hada_t{number}") for number in (1, 2))
        return (one * two * layer["alpha"] / layer["hada_w1_b"].shape[0]).reshape(weight.shape)
    if any(name.startswith("lokr_") for name in layer):
        return kronecker(layer, weight)
    rank = layer["lora_down.weight"].shape[0]
    product = torch.einsum("or,ri->oi", layer["lora_up.weight"].flatten(1), layer["lora_down.weight"].flatten(1))
    change = product.reshape(weight.shape) * layer["alpha"] / rank
    if "dora_scale" not in layer:
        return change
    changed = weight + change
    columns = changed.transpose(0, 1).flatten(1)
    lengths = torch.sqrt((columns**2).sum(1)).reshape(1, -1, *[1] * (weight.ndim - 2))
    return changed * layer["dora_scale"] / lengths - weight


def factors(layer, name, core):
    """Of two factors; where there is a core between them, value by value of its kernel."""
    left, right = layer[f"{name}_a"], layer[f"{name}_b"]
    if core not in layer:
        return left @ right
    kernel = layer[core].shape[2:]
    slices = [left.T @ each @ right for each in layer[core].flatten(2).unbind(2)]
    return torch.stack(slices, -1).reshape(left.shape[1], right.shape[1], *kernel)


def kronecker(layer, weight):
    scale = 1.0
    for ranked in ("lokr_w1_b", "lokr_w2_b"):
        scale = layer["alpha"] / layer[ranked].shape[0] if ranked in layer else scale
    small = layer["lokr_w1"] if "lokr_w1" in layer else layer["lokr_w1_a"] @ layer["lokr_w1_b"]
    large = layer["lokr_w2"] if "lokr_w2" in layer else factors(layer, "lokr_w2", "lokr_t2")
    large = large.reshape(weight.shape[0] // small.shape[0], weight.shape[1] // small.shape[1], -1)
    result = torch.einsum("ab,cdk->acbdk", small, large)
    return result.reshape(weight.shape) * scale
