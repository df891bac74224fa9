"""AUTOMATIC1111's own loaders and model, for `probe.py`."""

from __future__ import annotations

from pathlib import Path


def start():
    """The WebUI as far as its scripts, without a page and a model."""
    import launch  # noqa: F401
    from modules import initialize

    initialize.imports()
    initialize.initialize()


def load(file):
    """Make a checkpoint the model that draws."""
    from modules import sd_models

    info = sd_models.CheckpointInfo(file)
    info.register()
    sd_models.load_model(info)


def choose(case):
    """Turn on what the case is about, and off what is not."""
    import networks
    from modules import shared
    from modules.hypernetworks import hypernetwork

    name = Path(case["file"]).stem if case["file"] else ""
    of = {kind: [name] if case["kind"] == kind and name else [] for kind in ("lora", "hypernetwork")}
    networks.list_available_networks()
    networks.load_networks(of["lora"], [1.0] * len(of["lora"]), [1.0] * len(of["lora"]), [None] * len(of["lora"]))
    shared.reload_hypernetworks()
    hypernetwork.load_hypernetworks(of["hypernetwork"], [1.0] * len(of["hypernetwork"]))


def predict(prompt, request):
    """What the U-Net answers."""
    import torch
    from modules import devices, shared

    noise = torch.tensor(request["noise"])
    with torch.no_grad(), devices.autocast():
        text = shared.sd_model.get_learned_conditioning([prompt])
        return shared.sd_model.apply_model(noise, torch.tensor([request["timestep"]]), text).float().numpy()
