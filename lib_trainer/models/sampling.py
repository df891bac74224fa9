"""Draws pictures with a model: prompts and seeds in, pictures and the WebUI's `parameters` text out."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image

from lib_trainer.core.errors import ConfigError, ModelError
from lib_trainer.models.model import Model
from lib_trainer.models.prompt import encode_prompts
from lib_trainer.models.sampler_names import SamplerName
from lib_trainer.models.samplers import SAMPLERS
from lib_trainer.models.text_options import WEBUI

LEAST_SIGNAL = 4.8973451890853435e-08  # the WebUI's: samplers divide by it where a schedule ends in noise alone
OnStep = Callable[[int, int], bool | None]


@dataclass(frozen=True)
class SampleRequest:
    """One picture for each prompt and its seed; `batch` of them are drawn at once, which changes no picture.

    Prompts are read as the WebUI reads them, but for `[this:that:0.5]`, AND and `<lora:...>`. Sides in pixels.
    """

    prompts: tuple[str, ...]
    seeds: tuple[int, ...]
    negative_prompt: str = ""
    steps: int = 20
    cfg_scale: float = 7.0
    sampler: SamplerName = "DPM++ 2M"
    width: int = 512
    height: int = 512
    clip_skip: int = 1
    batch: int = 4


@torch.no_grad()
def sample(model: Model, request: SampleRequest, on_step: OnStep | None = None) -> list[Image.Image]:
    """Draw the pictures of a request; the model's parts are used as they stand, with whatever trains on them.

    Args:
        model: the model; its VAE is loaded and stays so.
        request: what to draw.
        on_step: called after each step with the steps done and those of the whole request; if it returns True, the
            drawing ends and no pictures come back.

    Raises:
        ConfigError: as many prompts as seeds are needed, and sides that the model's latents divide.
        ModelError: the model gave something that is no picture.
    """
    _check(model, request)
    pictures: list[Image.Image] = []
    for first in range(0, len(request.prompts), request.batch):
        chosen = slice(first, first + request.batch)
        progress = _Progress(on_step, first * request.steps, len(request.prompts) * request.steps)
        latents = _draw(model, request, chosen, progress)
        if latents is None:
            return []
        pictures += [to_picture(pixels) for pixels in model.decode_latents(latents)]
    return pictures


@dataclass(frozen=True)
class _Progress:
    on_step: OnStep | None
    before: int
    total: int

    def cancelled(self, done: int) -> bool:
        return self.on_step is not None and bool(self.on_step(self.before + done, self.total))


def to_picture(pixels: torch.Tensor) -> Image.Image:
    """An RGB picture from pixels [3, h, w] in -1..1.

    Raises:
        ModelError: a pixel is not finite.
    """
    if not torch.isfinite(pixels).all():
        raise ModelError("The model drew a picture that is not finite; use bf16 or fp32 instead of fp16.")
    scaled = ((pixels.float() / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8)
    return Image.fromarray(scaled.permute(1, 2, 0).cpu().numpy())


def infotext(
    request: SampleRequest, index: int, model_name: str, extra: Mapping[str, str | int | float] | None = None
) -> str:
    """The `parameters` text of a picture as AUTOMATIC1111 v1.10.1 writes it; it goes into a PNG under that name.

    Args:
        request: what was drawn.
        index: which of its pictures.
        model_name: the checkpoint's file name without its ending.
        extra: further entries, such as `Lora hashes` or `Model hash`.
    """
    sampler = SAMPLERS[request.sampler]
    entries = {
        "Steps": request.steps,
        "Sampler": sampler.webui_sampler,
        "Schedule type": sampler.webui_schedule,
        "CFG scale": request.cfg_scale,
        "Seed": request.seeds[index],
        "Size": f"{request.width}x{request.height}",
        "Model": model_name,
        "Clip skip": request.clip_skip if request.clip_skip > 1 else None,
        "RNG": "CPU",
        **(extra or {}),
    }
    told = ", ".join(f"{name}: {_quoted(value)}" for name, value in entries.items() if value is not None)
    negative = f"\nNegative prompt: {request.negative_prompt}" if request.negative_prompt else ""
    return f"{request.prompts[index]}{negative}\n{told}".strip()


def _quoted(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if any(sign in text for sign in ",\n:") else text


def _check(model: Model, request: SampleRequest) -> None:
    if len(request.prompts) != len(request.seeds):
        raise ConfigError(f"{len(request.prompts)} prompts and {len(request.seeds)} seeds are given; give as many.")
    for side, pixels in (("width", request.width), ("height", request.height)):
        if pixels % model.pixels_per_latent:
            raise ConfigError(f"The {side} of {pixels} px must be a multiple of {model.pixels_per_latent}.")


def _draw(model: Model, request: SampleRequest, chosen: slice, progress: _Progress) -> torch.Tensor | None:
    """The finished latents of some of the request's pictures, or None if it was cancelled."""
    prompts, seeds = request.prompts[chosen], request.seeds[chosen]
    # On the CPU and one a picture, so that a picture depends neither on the device nor on its neighbours.
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    guided = request.cfg_scale != 1
    negatives = [request.negative_prompt] * len(prompts) if guided else []
    texts = encode_prompts(model, [*negatives, *prompts], request.clip_skip, WEBUI)
    if negatives and not request.negative_prompt and model.zero_text_if_empty:
        texts[: len(negatives)] = [torch.zeros_like(text) for text in texts[: len(negatives)]]
    device = texts[0].device
    scheduler = build_scheduler(model, request.sampler)
    scheduler.set_timesteps(request.steps, device=device)
    takes_noise = {"generator": generators} if "generator" in inspect.signature(scheduler.step).parameters else {}
    sides = (request.height // model.pixels_per_latent, request.width // model.pixels_per_latent)
    noise = [torch.randn((model.latent_channels, *sides), generator=generator) for generator in generators]
    latents: torch.Tensor = torch.stack(noise).to(device) * scheduler.init_noise_sigma
    for step, timestep in enumerate(scheduler.timesteps, start=1):
        scaled = scheduler.scale_model_input(latents, timestep)
        scaled = torch.cat([scaled, scaled]) if guided else scaled
        output = _predictions(model, scaled, timestep, texts)
        if guided:
            without, towards = output.chunk(2)
            output = without + request.cfg_scale * (towards - without)
        latents = scheduler.step(output, timestep, latents, return_dict=False, **takes_noise)[0]
        if progress.cancelled(step * len(prompts)):
            return None
    return latents


def _predictions(model: Model, noisy: torch.Tensor, timestep: torch.Tensor, texts: list[torch.Tensor]) -> torch.Tensor:
    """The model's answers; those to texts of one length come together: no text is filled up for another's sake."""
    lengths = sorted({len(text) for text in texts})
    if len(lengths) == 1:
        return model.predict(noisy, timestep.expand(len(noisy)), torch.stack(texts)).float()
    output = torch.empty_like(noisy, dtype=torch.float32)
    for length in lengths:
        rows = [row for row, text in enumerate(texts) if len(text) == length]
        those = torch.stack([texts[row] for row in rows])
        output[rows] = model.predict(noisy[rows], timestep.expand(len(rows)), those).float()
    return output


def build_scheduler(model: Model, name: SamplerName) -> Any:
    """A sampler's scheduler from diffusers, over the model's own noise schedule and prediction."""
    import diffusers

    signal = model.alphas_cumprod.double().clamp(min=LEAST_SIGNAL)
    betas = 1 - signal / torch.cat([torch.ones(1, dtype=signal.dtype), signal[:-1]])
    sampler = SAMPLERS[name]
    return getattr(diffusers, sampler.scheduler)(
        num_train_timesteps=len(signal),
        trained_betas=betas.numpy(),
        prediction_type="v_prediction" if model.prediction == "v" else "epsilon",
        **sampler.settings,
    )
