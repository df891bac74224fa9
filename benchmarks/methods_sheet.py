"""Each method learns the demo's style for some steps: one row of pictures for each, and a table of held-out losses.

    python benchmarks/methods_sheet.py OUTPUT --steps 120

Run it with the engine's Python. OUTPUT gets `sheet.png`, `table.json`, and a folder of files and runs for each method.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib_trainer.core.configs import load, merge
from lib_trainer.core.places import DATA_VARIABLE
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.demo.places import HELD_OUT, MODEL, STYLE, recipe

PROMPTS = ("an openmoji emoji of a fox", "an openmoji emoji of a red heart", "an openmoji emoji of a pineapple")
SIZE, LABEL = 128, 150  # px
WORD = "zyrkon"
RANK = {"rank": 8, "alpha": 8.0, "conv_rank": 8, "conv_alpha": 8.0}


@dataclass(frozen=True)
class Method:
    """What is told besides the demo's recipe; `word` is put before captions and prompts."""

    trainable: dict[str, Any]
    rate: float
    text_rate: float = 0.0
    more: dict[str, Any] = field(default_factory=dict)
    word: str = ""


METHODS = {
    "LoRA": Method({"type": "lora", "rank": 8, "alpha": 8.0, "conv_rank": 0}, 2e-3, 3e-4),
    "LoCon": Method({"type": "lora", **RANK}, 2e-3, 3e-4),
    "DoRA": Method({"type": "dora", **RANK}, 2e-3, 3e-4),
    "LoHa": Method({"type": "loha", **RANK}, 2e-3, 3e-4),
    "LoKr": Method({"type": "lokr", "full": True, "convolutions": True}, 2e-3, 3e-4),
    "difference": Method({"type": "difference", "convolutions": True}, 3e-4, 3e-5),
    "norms": Method({"type": "norms"}, 1e-2),
    "hypernetwork": Method({"type": "hypernetwork"}, 3e-4),
    "embedding": Method(
        {"type": "textual_inversion", "token": WORD, "vectors": 2, "initial_text": "emoji"}, 2e-3, 2e-3, {}, WORD
    ),
    "LoRA with a word": Method(
        {"type": "lora", **RANK}, 2e-3, 3e-4, {"word": {"token": WORD, "vectors": 2, "initial_text": "emoji"}}, WORD
    ),
    "full": Method({"type": "full"}, 3e-4, 3e-5),
}


def train_one(name: str, method: Method, output: Path, steps: int) -> dict[str, Any]:
    """Train it; returns what the run's end says, with the seconds that it took."""
    from lib_trainer.training.options import TrainingOptions
    from lib_trainer.training.train import train

    place = output / name.replace(" ", "-")
    place.mkdir(parents=True, exist_ok=True)
    kind = method.trainable["type"]
    told = {
        "model": str(MODEL), "dataset": {"folder": str(STYLE), "trigger": method.word},
        "validation": {"folder": str(HELD_OUT), "every": f"{steps} steps"}, "previews": {"every": "never"},
        "trainable": method.trainable, "learning_rate": method.rate, "text_encoder_learning_rate": method.text_rate,
        "max_steps": steps, "batch_size": 4, "epochs": 1000, "precision": "fp32", **method.more,
        "saving": {"folder": str(place), "name": place.name, "every": "never", "state_every": "never"},
    }  # fmt: skip
    base = json.loads(recipe("train").read_text(encoding="utf-8"))
    if kind != "lora":
        base.pop("trainable")
    began = time.process_time()
    done = train(load(TrainingOptions, merge(base, told)), RunDirectory(place))
    return {**done, "cpu_seconds": time.process_time() - began}


def draw(done: dict[str, Any] | None, method: Method | None) -> list[Any]:
    """The prompts' pictures with the trained file, or of the model alone."""
    import torch

    from lib_trainer.models.loading import load_model
    from lib_trainer.models.sampling import SampleRequest, sample
    from lib_trainer.weights.networks import open_network

    file = Path(done["networks"][-1]) if done else None
    whole = method is not None and method.trainable["type"] == "full"
    model = load_model(file if file and whole else MODEL, torch.float32, torch.device("cpu"))
    if file and not whole:
        open_network(model, file)
    word = f"{method.word}, " if method and method.word else ""
    prompts = tuple(f"{word}{prompt}" for prompt in PROMPTS)
    request = SampleRequest(prompts, (3,) * len(prompts), steps=20, cfg_scale=4.0, width=SIZE, height=SIZE)
    return sample(model, request)


def sheet(rows: dict[str, list[Any]]) -> Any:
    """All pictures, a row for each method with its name at the left."""
    from PIL import Image, ImageDraw

    whole = Image.new("RGB", (LABEL + SIZE * len(PROMPTS), SIZE * len(rows)), "white")
    pen = ImageDraw.Draw(whole)
    for number, (name, pictures) in enumerate(rows.items()):
        pen.text((8, SIZE * number + SIZE // 2), name, fill="black", font_size=15)
        for column, picture in enumerate(pictures):
            whole.paste(picture, (LABEL + SIZE * column, SIZE * number))
    return whole


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--only", nargs="*", default=list(METHODS), choices=list(METHODS))
    arguments = parser.parse_args()
    output = arguments.output.absolute()
    os.environ[DATA_VARIABLE] = str(output / "data")
    rows, table = {"the model alone": draw(None, None)}, {}
    for name in arguments.only:
        done = train_one(name, METHODS[name], output, arguments.steps)
        losses = done["held_out_loss"]
        table[name] = {"before": losses["base"], "after": list(losses["epochs"].values())[-1], "steps": done["steps"],
                       "cpu_seconds": round(done["cpu_seconds"], 1)}  # fmt: skip
        print(name, table[name], flush=True)
        rows[name] = draw(done, METHODS[name])
        sheet(rows).save(output / "sheet.png")
        (output / "table.json").write_text(json.dumps(table, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
