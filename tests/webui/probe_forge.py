"""Forge's own loaders and model, for `probe.py`."""

from __future__ import annotations

from pathlib import Path


def start():
    """The WebUI as far as its scripts, without a page and a model."""
    import launch  # noqa: F401
    from modules import initialize
    from modules_forge.initialization import initialize_forge

    initialize_forge()
    initialize.imports()
    initialize.initialize()


def load(file):
    """Make a checkpoint the model that draws."""
    from modules import sd_models, shared

    # "Original" divides by the mean of the text's states, which is nought in a model of random weights.
    shared.opts.data["emphasis"] = "No norm"
    info = sd_models.CheckpointInfo(file)
    info.register()
    sd_models.model_data.forge_loading_parameters = {
        "checkpoint_info": info, "additional_modules": [], "unet_storage_dtype": None,
    }  # fmt: skip
    sd_models.forge_model_reload()


def choose(case):
    """Turn on what the case is about, and off what is not."""
    import networks

    names = [Path(case["file"]).stem] if case["kind"] == "lora" else []
    networks.list_available_networks()
    networks.load_networks(names, [1.0] * len(names), [1.0] * len(names), [None] * len(names))


def predict(prompt, request):
    """What the U-Net answers, after Forge has put the patches in as it does before sampling."""
    import torch
    from backend.sampling.sampling_function import sampling_prepare
    from modules import sd_models
    from modules.prompt_parser import SdConditioning

    model = sd_models.model_data.get_sd_model()
    noise = torch.tensor(request["noise"])
    with torch.inference_mode():
        text = model.get_learned_conditioning(SdConditioning([prompt], width=128, height=128))
        unet = model.forge_objects.unet
        sampling_prepare(unet, noise)
        timesteps = torch.tensor([float(request["timestep"])])
        kind = unet.model.computation_dtype
        answer = unet.model.diffusion_model(noise.to(kind), timesteps, context=text.to(kind), transformer_options={})
        return answer.float().numpy()
