"""A whole Stable Diffusion 1 checkpoint of random weights, small enough to be made anew in every test."""

from __future__ import annotations

import math
from pathlib import Path

import torch

from lib_trainer.models.sd1_keys import KeyMap, original_shape
from lib_trainer.models.sd1_layout import POSITIONS, TEXT, TOKENS, Layout, TextSizes, UnetSizes, VaeSizes
from lib_trainer.models.sd1_modules import build_text_encoder, build_unet, build_vae
from lib_trainer.models.sd1_settings import Settings

# 32 is the least that the architecture's normalisation in 32 groups allows; a text head is 64 wide.
MINIATURE = Layout(
    UnetSizes(channels=(32, 64), attention=(True, False), layers=1, text_width=64, latent_channels=4),
    VaeSizes(channels=(32, 32, 32, 32), layers=1, latent_channels=4),
    TextSizes(width=64, inner_width=128, layers=2, tokens=TOKENS, positions=POSITIONS),
)
FULL = Layout(
    UnetSizes((320, 640, 1280, 1280), (True, True, True, False), layers=2, text_width=768, latent_channels=4),
    VaeSizes((128, 256, 512, 512), layers=2, latent_channels=4),
    TextSizes(width=768, inner_width=3072, layers=12, tokens=TOKENS, positions=POSITIONS),
)


def shapes_of(layout, text_prefix=f"{TEXT}text_model."):
    """Original name -> shape of all tensors that a model of these sizes has."""
    settings = Settings((8,) * len(layout.unet.channels), layout.text.width // 64)
    keys = KeyMap(layout, text_prefix)
    parts = {
        "unet": build_unet(layout.unet, settings),
        "vae": build_vae(layout.vae),
        "text_encoder": build_text_encoder(layout.text, settings),
    }
    shapes = {}
    for part, module in parts.items():
        for name, tensor in module.state_dict().items():
            original = keys.original(f"{part}.{name}")
            assert keys.ours(original) == f"{part}.{name}"
            shapes[original] = original_shape(original, tuple(tensor.shape))
    return shapes


def miniature_tensors(seed=0, dtype=torch.float16, text_prefix=f"{TEXT}text_model."):
    """Original name -> random tensor; normalisations are near one, so that signals keep their size."""
    return random_tensors(shapes_of(MINIATURE, text_prefix), seed, dtype)


def random_tensors(shapes, seed=0, dtype=torch.float16):
    """The same for other shapes."""
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for name, shape in shapes.items():
        values = torch.randn(shape, generator=generator)
        if name.endswith(".bias"):
            values *= 0.02
        elif len(shape) <= 1:
            values = 1 + 0.02 * values
        elif "embedding" in name:
            values *= 0.5
        else:
            values /= math.sqrt(math.prod(shape[1:]))
        tensors[name] = values.to(dtype)
    return tensors


def miniature_checkpoint(path: Path, seed=0, dtype=torch.float16, extra=None) -> Path:
    """Write a miniature as `.safetensors`; `extra` tensors are added to it."""
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({**miniature_tensors(seed, dtype), **(extra or {})}, path, metadata={"format": "pt"})
    return path


def hollow_checkpoint(path: Path, layout) -> Path:
    """Write a checkpoint of these sizes in fp16 that holds zeros, which take no place on the disk."""
    from lib_trainer.models.tensor_headers import header_bytes

    shapes = shapes_of(layout)
    with path.open("wb") as file:
        start = file.write(header_bytes(((name, "F16", shape) for name, shape in shapes.items()), {}))
        file.truncate(start + 2 * sum(math.prod(shape) for shape in shapes.values()))
    return path
