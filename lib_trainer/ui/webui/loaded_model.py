"""The model that the WebUI keeps in memory: which one it is, dropping it, and loading it again."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, NoReturn

from lib_trainer.core.errors import EngineError

Version = Literal["SD1", "SD2", "SDXL", ""]
TAKEN = (
    "The trainer is using the graphics card, so nothing was drawn. Wait for the run to end, or stop it in the tab "
    "Trainer; the WebUI's settings, section Trainer, let both go on at once."
)


def is_forge() -> bool:
    """Whether this WebUI is Forge, whose memory is not managed as AUTOMATIC1111's is."""
    from modules import sd_models

    return hasattr(sd_models, "forge_model_reload")


def loaded_model() -> Any:
    """The WebUI's model, or None; unlike `shared.sd_model` this loads nothing."""
    from modules import sd_models

    model = sd_models.model_data.sd_model
    if is_forge() and isinstance(model, sd_models.FakeInitialModel):
        return None
    return model


def version_of(model: Any) -> Version:
    """Which Stable Diffusion a model is, as the WebUI tells them apart; an empty text where it is another one."""
    versions: tuple[tuple[str, Version], ...] = (("is_sdxl", "SDXL"), ("is_sd2", "SD2"), ("is_sd1", "SD1"))
    return next((version for name, version in versions if getattr(model, name, False)), "")


def drop_model() -> bool:
    """Take the WebUI's model out of all memory; whether there was one. Needs the WebUI's queue.

    Its next picture loads it again by itself.
    """
    was_there = _drop_from_forge() if is_forge() else _drop_from_a1111()
    forget_encoded_prompts()
    _collect()
    return was_there


def bring_model_back() -> None:
    """Load the model that is chosen in the WebUI, unless it is there. Needs the WebUI's queue."""
    from modules import sd_models

    if is_forge():
        sd_models.forge_model_reload()
    else:
        sd_models.reload_model_weights()


@contextmanager
def nobody_loads_it() -> Iterator[None]:
    """Whatever wants to draw ends at once, with a sentence that says why, as long as the block lasts.

    Each picture begins with this call, and of all that a script could hook into only its errors reach the user.
    """
    from modules import processing, sd_models

    name = "forge_model_reload" if is_forge() else "reload_model_weights"
    places = [(place, getattr(place, name)) for place in (sd_models, processing) if hasattr(place, name)]
    try:
        for place, _ in places:
            setattr(place, name, _refuse)
        yield
    finally:
        for place, before in places:
            setattr(place, name, before)


def _refuse(*_: Any, **__: Any) -> NoReturn:
    raise EngineError(TAKEN)


def forget_encoded_prompts() -> None:
    """Let the WebUI encode its next prompt anew: it knows the last one by its words, not by the files behind them."""
    from modules import processing

    processing.StableDiffusionProcessing.cached_c = [None, None, None]
    processing.StableDiffusionProcessing.cached_uc = [None, None, None]
    processing.StableDiffusionProcessingTxt2Img.cached_hr_c = [None, None, None]
    processing.StableDiffusionProcessingTxt2Img.cached_hr_uc = [None, None, None]


def _drop_from_a1111() -> bool:
    """`sd_models.unload_model_weights` would only move it to the CPU, where the next picture fails on it."""
    from modules import lowvram, sd_models, sd_unet

    data = sd_models.model_data
    with data.lock:  # the first model is loaded in a thread that does not wait for the queue
        models = list(data.loaded_sd_models)
        if data.sd_model is not None:
            models += [] if any(data.sd_model is model for model in models) else [data.sd_model]
            sd_unet.apply_unet("None")
        lowvram.send_everything_to_cpu()  # or it would still move the dropped weights when the next model comes
        for model in models:
            sd_models.send_model_to_trash(model)
        data.loaded_sd_models.clear()
        data.sd_model = None
    return bool(models)


def _drop_from_forge() -> bool:
    from backend import memory_management
    from modules import sd_models

    was_there = loaded_model() is not None
    memory_management.unload_all_models()
    # What is there before the first picture; the page of the WebUI is made for it, but not for None.
    sd_models.model_data.sd_model = sd_models.FakeInitialModel()
    sd_models.model_data.forge_hash = ""
    return was_there


def _collect() -> None:
    gc.collect()
    if is_forge():
        from backend import memory_management

        memory_management.soft_empty_cache()
    else:
        from modules import devices

        devices.torch_gc()
