"""Whole checkpoints of random weights of Stable Diffusion 2 and XL, in full size on paper, and small enough to make."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lib_trainer.models import sd2_layout, sdxl_layout
from lib_trainer.models.open_clip_folder import describe_folder
from lib_trainer.models.sd1_keys import KeyMap, original_shape
from lib_trainer.models.sd1_layout import POSITIONS, TEXT, TOKENS, Layout, TextSizes, UnetSizes
from lib_trainer.models.sd1_modules import SIZE_WIDTH, build_text_encoder, build_unet, build_vae
from lib_trainer.models.sd1_settings import Settings
from lib_trainer.models.sdxl_text import TwoTextEncoders
from tests.models.miniature import FULL, MINIATURE, random_tensors, shapes_of

SMALL_TEXT = replace(MINIATURE.text, layers=3)
SMALL_VAE = MINIATURE.vae
SD2 = Layout(
    UnetSizes((64, 128), (True, False), layers=1, text_width=64, latent_channels=4, projects_tokens=True),
    SMALL_VAE,
    replace(SMALL_TEXT, projection=48),
)
SD2_FULL = Layout(
    replace(FULL.unet, text_width=1024, projects_tokens=True),
    FULL.vae,
    TextSizes(1024, 4096, layers=24, tokens=TOKENS, positions=POSITIONS, projection=1024),
)
SDXL = Layout(
    UnetSizes(
        (32, 64, 128), (False, True, True), layers=1, text_width=192, latent_channels=4, depths=(1, 1, 2),
        added_width=48 + 6 * SIZE_WIDTH, projects_tokens=True,
    ),
    SMALL_VAE,
    SMALL_TEXT,
    TextSizes(128, 192, layers=2, tokens=TOKENS, positions=POSITIONS, projection=48),
)  # fmt: skip
SDXL_FULL = Layout(
    UnetSizes(
        (320, 640, 1280), (False, True, True), layers=2, text_width=2048, latent_channels=4, depths=(1, 2, 10),
        added_width=2816, projects_tokens=True,
    ),
    FULL.vae,
    FULL.text,
    TextSizes(1280, 5120, layers=32, tokens=TOKENS, positions=POSITIONS, projection=1280),
)  # fmt: skip


def shapes_of_sd2(layout):
    """Original name -> shape of all tensors of a Stable Diffusion 2 model; its text encoder has all its layers."""
    text = build_text_encoder(layout.text, Settings((), layout.text.width // 64))
    shapes = _seen(layout, KeyMap(layout, f"{TEXT}text_model."), text)
    shapes[f"{TEXT}text_projection.weight"] = (layout.text.projection, layout.text.width)
    return _original(shapes, sd2_layout.PREFIXES) | {"cond_stage_model.model.logit_scale": ()}


def shapes_of_sdxl(layout):
    """Original name -> shape of all tensors of an SDXL model."""
    settings = Settings((), layout.text.width // 64, second_text_heads=layout.second_text.width // 64)
    text = TwoTextEncoders(layout.text, layout.second_text, settings)
    shapes = _seen(layout, KeyMap(layout, sdxl_layout.TEXT_NAMES), text)
    return _original(shapes, sdxl_layout.PREFIXES) | {"conditioner.embedders.1.model.logit_scale": ()}


def _seen(layout, keys, text):
    heads = tuple(max(1, width // 64) for width in layout.unet.channels)
    parts = {
        "unet": build_unet(layout.unet, Settings(heads, 1)),
        "vae": build_vae(layout.vae),
        "text_encoder": text,
    }
    shapes = {}
    for part, module in parts.items():
        for name, tensor in module.state_dict().items():
            original = keys.original(f"{part}.{name}")
            assert keys.ours(original) == f"{part}.{name}"
            shapes[original] = original_shape(original, tuple(tensor.shape))
    return shapes


def _original(shapes, prefixes):
    return {stored.name: stored.shape for stored in describe_folder(shapes, prefixes)}


def sd2_checkpoint(path: Path, seed=0, extra=None, metadata=None) -> Path:
    """Write a small Stable Diffusion 2 model."""
    return _write(path, shapes_of_sd2(SD2), seed, extra, metadata)


def sdxl_checkpoint(path: Path, seed=0, extra=None, metadata=None) -> Path:
    """Write a small SDXL model."""
    return _write(path, shapes_of_sdxl(SDXL), seed, extra, metadata)


CHECKPOINTS = {"sd2": sd2_checkpoint, "sdxl": sdxl_checkpoint}
SHAPES = {"sd1": (shapes_of, MINIATURE), "sd2": (shapes_of_sd2, SD2), "sdxl": (shapes_of_sdxl, SDXL)}


def for_inpainting(layout: Layout) -> Layout:
    """The same sizes, but for the mask and the latents of what is around it."""
    return replace(layout, unet=replace(layout.unet, extra_channels=5))


def inpainting_checkpoint(family, path: Path, seed=0, extra=None, metadata=None) -> Path:
    """Write a small inpainting model of a family."""
    shapes, layout = SHAPES[family]
    return _write(path, shapes(for_inpainting(layout)), seed, extra, metadata)


def _write(path, shapes, seed, extra, metadata):
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({**random_tensors(shapes, seed), **(extra or {})}, path, metadata={"format": "pt", **(metadata or {})})
    return path
