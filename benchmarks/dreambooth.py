"""DreamBooth three ways on one subject: without a prior, with class pictures, with the model's own prediction.

    python benchmarks/dreambooth.py FOLDER OUT [NAME=VALUE ...]

FOLDER holds pictures of one subject with captions; the last ones by name are kept aside. The model is the demo's. For
each way it prints the loss on what was kept aside, and how far the model has drifted on the class prompts: the mean
squared difference of its predictions to the untouched model's, on pictures that it drew of them and that no run has
seen. NAME=VALUE sets options of all three runs, such as max_steps=100.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib_trainer.core.configs import Text, load, merge
from lib_trainer.core.places import DATA_VARIABLE
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.demo.places import MODEL

if TYPE_CHECKING:
    import torch

    from lib_trainer.models.model import Model
    from lib_trainer.training.validation import Row

PROMPTS = ["an emoji of a bird", "a noto emoji of a bird", "a fluent emoji of a bird"]
DRAWN = 6  # of each prompt, with seeds that no class picture has
FIRST_SEED = 900_000
TIMESTEPS = 5
SIDE = 128
CLASS = {"prompt": "an emoji of a sks bird", "class_prompt": PROMPTS[0]}
RECIPE: dict[str, Any] = {
    "model": str(MODEL),
    "dataset": {
        "concepts": [CLASS], "repeats": 8, "buckets": {"resolution": SIDE, "step": 8, "square": True},
    },
    "trainable": {"type": "lora", "rank": 8, "alpha": 8},
    "prior": {"pictures": 60, "cfg_scale": 4, "steps": 20, "at_once": 10},
    "epochs": 1000,
    "max_steps": 200,
    "batch_size": 5,
    "learning_rate": 1e-3,
    "text_encoder_learning_rate": 3e-4,
    "precision": "fp32",
    "seed": 1,
    "validation": {"every": "40 steps"},
    "saving": {"every": "never", "state_every": "never", "layer_names": "original", "precision": "fp32"},
}  # fmt: skip
WAYS: dict[str, dict[str, Any]] = {
    "no prior": {"prior": {"weight": 0}},
    "prior pictures": {"prior": {"kind": "pictures"}},
    "prior prediction": {"prior": {"kind": "prediction"}},
}


def split(folder: Path, aside: int, out: Path) -> tuple[Path, Path]:
    """Copies of the pictures to learn and of those kept aside, with their captions."""
    pictures = sorted(folder.glob("*.png"))
    places = out / "learn", out / "aside"
    for place, some in zip(places, (pictures[:-aside], pictures[-aside:]), strict=True):
        place.mkdir(parents=True, exist_ok=True)
        for picture in some:
            shutil.copy(picture, place)
            shutil.copy(picture.with_suffix(".txt"), place)
    return places


def run(name: str, changes: dict[str, Any], out: Path) -> tuple[Path, dict[str, float]]:
    """Train one way; the network's file, and the losses on what was kept aside."""
    from lib_trainer.training.options import TrainingOptions
    from lib_trainer.training.train import train

    place = out / name.replace(" ", "-")
    saving = {"saving": {"folder": str(place / "networks"), "name": place.name}}
    result = train(load(TrainingOptions, merge(merge(merge(RECIPE, saving), changes), WAYS[name])), RunDirectory(place))
    losses = {"before": result["held_out_loss"]["base"], **result["held_out_loss"]["epochs"]}
    return Path(result["networks"][-1]), losses


def class_table(model: Model) -> list[Row]:
    """Noised pictures of the class prompts that the untouched model drew."""
    import torch
    from numpy import asarray

    from lib_trainer.models.sampling import SampleRequest, sample
    from lib_trainer.training.validation import Shown, fixed_table

    prompts = tuple(prompt for prompt in PROMPTS for _ in range(DRAWN))
    seeds = tuple(FIRST_SEED + number for number in range(len(prompts)))
    pictures = sample(model, SampleRequest(prompts, seeds, cfg_scale=4, width=SIDE, height=SIDE, batch=6))
    pixels = torch.stack([torch.from_numpy(asarray(picture).copy()).permute(2, 0, 1) for picture in pictures])
    with torch.no_grad():
        means, _ = model.encode_pictures(pixels.float() / 127.5 - 1)
    frame = torch.tensor([SIDE, SIDE, 0, 0, SIDE, SIDE])
    shown = [Shown(mean, prompt, frame) for mean, prompt in zip(means, prompts, strict=True)]
    return fixed_table(shown, TIMESTEPS, seed=77)


def answers(model: Model, rows: Sequence[Row]) -> torch.Tensor:
    """The model's predictions for the rows, [n, c, h, w]."""
    import torch

    from lib_trainer.training.diffusion import add_noise

    found = []
    with torch.no_grad():
        for row in rows:
            time = torch.tensor([row.timestep])
            noisy = add_noise(row.latent[None], row.noise[None], model.alphas_cumprod[time])
            found.append(model.predict(noisy, time, model.encode_text(model.tokenize([row.caption]), 1)))
    return torch.cat(found)


def drifts(networks: dict[str, Path]) -> dict[str, float]:
    """The mean squared difference to the untouched model, of each way."""
    import torch

    from lib_trainer.models.loading import load_model
    from lib_trainer.weights.networks import open_network

    model = load_model(MODEL, torch.float32, torch.device("cpu"))
    rows = class_table(model)
    untouched, found = answers(model, rows), {}
    for name, path in networks.items():
        network = open_network(model, path)
        found[name] = float((answers(model, rows) - untouched).square().mean())
        network.detach()
    return found


def measure(folder: Path, out: Path, changes: dict[str, Any], say: Callable[[str], None]) -> None:
    """Run all three, and print what came of them."""
    learn, aside = split(folder, 2, out)
    told = merge(changes, {"dataset": {"folder": str(learn)}, "validation": {"folder": str(aside)}})
    made = {name: run(name, told, out) for name in WAYS}
    for name, (_, losses) in made.items():
        say(f"{name}: " + ", ".join(f"{place} {loss:.4f}" for place, loss in losses.items()))
    moved = drifts({name: path for name, (path, _) in made.items()})
    last = {name: list(losses.values())[-1] for name, (_, losses) in made.items()}
    for name in WAYS:
        loss, drift = last[name] / last["no prior"], moved[name] / moved["no prior"]
        say(f"{name}: loss aside {last[name]:.4f} ({loss:.3f} times), drift {moved[name]:.5f} ({drift:.3f} times)")


def nested(told: Sequence[str]) -> dict[str, Any]:
    """`NAME=VALUE` as plain data."""
    changes: dict[str, Any] = {}
    for each in told:
        path, _, value = each.partition("=")
        inner: Any = Text(value)
        for name in reversed(path.split(".")):
            inner = {name: inner}
        changes = merge(changes, inner)
    return changes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("changes", nargs="*")
    told = parser.parse_args()
    out = told.out.absolute()
    os.environ.setdefault(DATA_VARIABLE, str(out / "data"))
    print(json.dumps(nested(told.changes)))
    measure(told.folder.absolute(), out, nested(told.changes), lambda line: print(line, flush=True))


if __name__ == "__main__":
    main()
