"""Runs in AUTOMATIC1111's own Python: what its model predicts with each of some files, by its own code.

    PYTHON probe_a1111.py REQUEST.json        (in the WebUI's folder)

The request: `flags` of the WebUI, `model`, `noise` [1, 4, h, w] as nested lists, `timestep`, and `cases`, each with
`kind` ("lora", "embedding", "hypernetwork", "checkpoint"), `file` (or null) and `prompt`. The answer lies beside the
request: `predictions.npz`, one array for each case by its number, and `said.json`, what the log says of each.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

TELLING = ("didn't match", "couldn't find", "layer", "Lora not found", "Skip bundle", "Failed", "Error")


class Listener(logging.Handler):
    """Keeps what is said of files."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.said = []

    def emit(self, record):
        text = record.getMessage()
        if any(word in text for word in TELLING):
            self.said.append(text[:2000])


def start(flags):
    """The WebUI as far as its scripts, without a page and a model."""
    sys.path.insert(0, str(Path.cwd()))
    sys.argv = ["launch.py", *flags]
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


def predict(case, request):
    import torch
    from modules import devices, shared

    noise = torch.tensor(request["noise"])
    with torch.no_grad(), devices.autocast():
        text = shared.sd_model.get_learned_conditioning([case["prompt"]])
        return shared.sd_model.apply_model(noise, torch.tensor([request["timestep"]]), text).float().numpy()


def main():
    place = Path(sys.argv[1]).absolute()
    request = json.loads(place.read_text(encoding="utf-8"))
    start(request["flags"])
    listener = Listener()
    logging.getLogger().addHandler(listener)
    logging.getLogger().setLevel(logging.DEBUG)
    import numpy

    load(request["model"])
    predictions, said = {}, []
    for number, case in enumerate(request["cases"]):
        listener.said.clear()
        try:
            if case["kind"] == "checkpoint":
                load(case["file"])
            choose(case)
            predictions[str(number)] = predict(case, request)
        except Exception as error:  # noqa: BLE001 - the next file is asked about all the same
            listener.said.append(f"{type(error).__name__}: {error}")
        said.append(list(listener.said))
    numpy.savez(place.with_name("predictions.npz"), **predictions)
    place.with_name("said.json").write_text(json.dumps(said), encoding="utf-8")


if __name__ == "__main__":
    main()
    import os

    sys.stdout.flush()
    os._exit(0)  # the WebUI's threads would keep the process
