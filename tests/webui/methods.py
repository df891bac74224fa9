"""`WEBUI_DIR=CHECKOUT python3 tests/webui methods`: what a WebUI and the engine predict with each method's file.

Each file is trained here for three steps, in the usual way; then the WebUI's own code loads it, in its own Python with
`--loglevel DEBUG`. The table has the largest difference of the predictions and the file's effect, both in parts of the
largest value predicted, and whatever the WebUI says of keys or layers. Forge needs a full-size checkpoint (`--model
FILE --stir --rate 1e-3`), 20 GB of memory and nothing else that wants any.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lib_trainer.core.configs import load
from lib_trainer.core.outputs import ENDINGS, FileFormat, chosen_format
from lib_trainer.core.places import DATA_VARIABLE
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.demo.places import MODEL, PICTURES
from lib_trainer.trainables import TRAINABLES
from lib_trainer.ui.webui.demo_model import lend_to_a1111

PROMPT = "an emoji of a red apple on the grass"
WORD = "zyrkon"
TIMESTEP, SIDE = 500, 16
# Of the largest value that is predicted; A1111 rounds a weight to the file's number format where it adds to it.
NEAR = {"fp32": 1e-5, "fp16": 1e-3, "bf16": 1e-2}
FLAGS = (
    "--use-cpu", "all", "--no-half", "--skip-torch-cuda-test", "--no-download-sd-model", "--skip-prepare-environment",
    "--skip-load-model-at-start", "--no-hashing", "--loglevel", "DEBUG",
)  # fmt: skip
MORE_FLAGS = {"a1111": (), "forge": ("--always-cpu", "--all-in-fp32", "--clip-in-fp32")}
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Method:
    """One row: what is told besides the usual, a word put before captions, and the prompt that calls the result up."""

    trainable: dict[str, Any]
    more: dict[str, Any] = field(default_factory=dict)
    prompt: str = PROMPT
    trigger: str = ""
    format: FileFormat | Literal["auto"] = "auto"


RANK = {"rank": 4, "alpha": 2.0}
CONVOLUTIONS = {**RANK, "conv_rank": 4, "conv_alpha": 2.0}
LEARNED = {"type": "textual_inversion", "token": WORD, "vectors": 3}
METHODS = {
    "LoRA": Method({"type": "lora", **RANK}),
    "LoCon": Method({"type": "lora", **CONVOLUTIONS}),
    "DoRA": Method({"type": "dora", **CONVOLUTIONS}),
    "LoHa": Method({"type": "loha", **CONVOLUTIONS}),
    "LoKr": Method({"type": "lokr", "rank": 2, "alpha": 2.0, "convolutions": True}),
    "LoKr, full": Method({"type": "lokr", "full": True, "convolutions": True}),
    "LoHa, Tucker": Method({"type": "loha", **CONVOLUTIONS, "tucker": True}),
    "LoKr, factors, Tucker": Method({"type": "lokr", "rank": 2, "alpha": 3.0, "convolutions": True, "factor_both": True,
                                     "tucker": True}),
    "difference": Method({"type": "difference", "convolutions": True}),
    "norms": Method({"type": "norms"}, {"text_encoder_learning_rate": 0}),
    "hypernetwork": Method({"type": "hypernetwork"}, {"text_encoder_learning_rate": 0}),
    "hypernetwork, deep": Method(
        {"type": "hypernetwork", "layer_sizes": [1, 1.5, 2, 1], "activation": "mish", "layer_norm": True,
         "hidden_dropout": 0.3},
        {"text_encoder_learning_rate": 0},
    ),
    # The WebUI calls an embedding by its file's name, a word in a LoRA's file by the word.
    "embedding": Method(LEARNED, prompt="an emoji of a embedding-e001 apple", trigger=WORD),
    "embedding, pt": Method(
        LEARNED, {"text_encoder_learning_rate": 2e-2}, "an emoji of a embedding-pt-e001 apple", WORD, "pt"
    ),
    "LoRA with a word": Method(
        {"type": "lora", **RANK}, {"word": {"token": WORD, "vectors": 2}}, f"an emoji of a {WORD} apple", WORD
    ),
    # Last: what comes after a checkpoint would be drawn with it.
    "checkpoint": Method({"type": "full"}, {"learning_rate": 1e-3}),
    "checkpoint, ckpt": Method({"type": "full"}, {"learning_rate": 1e-3}, format="ckpt"),
}
# Forge has no hypernetworks and no words in a LoRA's file, and its `torch.kron` stumbles over LoKr's cores.
NOT_IN_FORGE = ("LoKr, factors, Tucker", "hypernetwork", "hypernetwork, deep", "LoRA with a word")


@dataclass(frozen=True)
class Made:
    """A file of a method."""

    name: str
    method: Method
    kind: str
    file: Path


def make(name: str, method: Method, model: Path, told: argparse.Namespace) -> Made:
    """Train it for three steps at a high rate; the file is called after the method."""
    from lib_trainer.training.options import TrainingOptions
    from lib_trainer.training.train import train

    place = told.folder / "runs" / name.replace(", ", "-")
    place.mkdir(parents=True, exist_ok=True)
    kind = TRAINABLES[method.trainable["type"]].output
    names = {"layer_names": "original"} if model.name == MODEL.name and kind == "lora" else {}
    config = {
        "model": str(model),
        "dataset": {"folder": str(told.folder / "pictures"), "buckets": {"resolution": 64, "step": 8},
                    "trigger": method.trigger},
        "learning_rate": told.rate, "max_steps": 3, "precision": "fp32", "trainable": method.trainable, **method.more,
        "saving": {"folder": str(told.folder / kind), "name": place.name, "precision": told.precision, **names,
                   "format": method.format,
                   "state_every": "never", "every": "never", **method.more.get("saving", {})},
    }  # fmt: skip
    done = train(load(TrainingOptions, config), RunDirectory(place))
    file = Path(done["networks"][-1])
    if kind == "checkpoint" and not file.with_suffix(".yaml").exists() and model.with_suffix(".yaml").exists():
        shutil.copyfile(model.with_suffix(".yaml"), file.with_suffix(".yaml"))
    return Made(name, method, kind, file)


def stir(name: str, method: Method, model: Any, told: argparse.Namespace) -> Made:
    """A file that was not trained: its first values and some chance, on a model whose training takes long."""
    import torch

    from lib_trainer.models.precision import DTYPES
    from lib_trainer.weights.metadata import NetworkFacts
    from lib_trainer.weights.results import WRITERS, Result

    kind, options = method.trainable["type"], dict(method.trainable)
    del options["type"]
    output = TRAINABLES[kind].output
    parts = ["unet"] if method.more.get("text_encoder_learning_rate") == 0 else ["unet", "text_encoder"]
    network = TRAINABLES[kind](**options).attach(model, parts, 0)
    random = torch.Generator().manual_seed(1)
    for part in parts:
        for tensor in network.parameters(part):
            tensor.data += torch.randn(tensor.shape, generator=random) * told.rate
    stem, form = name.replace(", ", "-"), chosen_format(output, method.format)
    stem = f"{stem}-e001" if output == "embedding" else stem  # as its prompt calls it
    file = told.folder / output / f"{stem}{ENDINGS[form]}"
    file.parent.mkdir(exist_ok=True)
    facts = NetworkFacts("sd1", "stirred", "epsilon", 64, 1, method.trigger, 0, 0, 1, 3, 0)
    original = not model.webui_knows_network_names
    WRITERS[output](file, Result(model, network, stem, facts, DTYPES[told.precision], form, original))
    network.detach()
    return Made(name, method, output, file)


def engine_predicts(made: Made | None, model: Path, noise: Any, prompt: str) -> Any:
    """The engine's answer with the file, or of the model alone, as an array."""
    import torch

    from lib_trainer.models.loading import load_model
    from lib_trainer.weights.networks import open_network

    of_its_own = made is not None and made.kind == "checkpoint"
    loaded = load_model(made.file if made and of_its_own else model, torch.float32, torch.device("cpu"))
    if made is not None and not of_its_own:
        open_network(loaded, made.file)
    with torch.no_grad():
        text = loaded.encode_text(loaded.tokenize([prompt]), 1)
        return loaded.predict(noise, torch.tensor([TIMESTEP]), text).float().numpy()


def webui_predicts(told: argparse.Namespace, model: Path, noise: Any, made: list[Made]) -> tuple[Any, list[list[str]]]:
    """The WebUI's answers by the cases' numbers, the model's alone first, and what it said of each."""
    import numpy

    cases = [{"kind": "none", "file": None, "prompt": PROMPT}]
    cases += [{"kind": each.kind, "file": str(each.file), "prompt": each.method.prompt} for each in made]
    folders = {"--lora-dir": "lora", "--embeddings-dir": "embedding", "--hypernetwork-dir": "hypernetwork"}
    flags = [*FLAGS, *MORE_FLAGS[told.kind]]
    flags += [text for flag, kind in folders.items() for text in (flag, str(told.folder / kind))]
    for kind in folders.values():
        (told.folder / kind).mkdir(exist_ok=True)
    request = {
        "webui": told.kind, "flags": flags, "model": str(model), "noise": noise.tolist(), "timestep": TIMESTEP,
        "cases": cases,
    }  # fmt: skip
    place = told.folder / "request.json"
    place.write_text(json.dumps(request), encoding="utf-8")
    with (told.folder / "webui.log").open("wb") as log:
        done = subprocess.run(
            [str(told.python), str(HERE / "probe.py"), str(place)], cwd=told.webui, stdout=log,
            stderr=log, check=False,
        )  # fmt: skip
    if done.returncode or not place.with_name("said.json").exists():
        tail = (told.folder / "webui.log").read_text(encoding="utf-8", errors="replace")[-3000:]
        sys.exit(f"The WebUI's code ended with {done.returncode}:\n{tail}")
    said = json.loads(place.with_name("said.json").read_text(encoding="utf-8"))
    return dict(numpy.load(place.with_name("predictions.npz"))), said


def table(made: list[Made], ours: list[Any], theirs: dict[str, Any], said: list[list[str]], near: float) -> bool:
    """Print it; whether all is well. Differences are in parts of the largest value predicted."""
    largest, well = float(abs(ours[0]).max()), True
    sys.stdout.write(f"{'method':<28}{'difference':>12}{'effect':>10}  said\n")
    for number, name in enumerate(["(model alone)", *(each.name for each in made)]):
        answer = theirs.get(str(number))
        odd = [text for text in said[number] if "bundle_emb" not in text or "didn't match" not in text]
        apart = float("nan") if answer is None else float(abs(answer - ours[number]).max()) / largest
        effect = float(abs(ours[number] - ours[0]).max()) / largest
        near_enough = apart < near or 1000 * apart < effect
        fine = near_enough and not odd and (number == 0 or effect > 10 * apart)
        well = well and fine
        told = f"{'' if fine else 'ODD '}{' | '.join(odd)[:200]}"
        sys.stdout.write(f"{name:<28}{apart:>12.1e}{effect:>10.2f}  {told}\n")
    return well


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    webui = Path(os.environ["WEBUI_DIR"]).absolute()
    python = Path(os.environ.get("WEBUI_PYTHON") or webui / "venv" / "bin" / "python").absolute()
    parser.add_argument("--model", type=Path, default=MODEL, help="a checkpoint; the demo's if not told")
    parser.add_argument("--rate", type=float, default=1e-2, help="learning rate; less for real models")
    parser.add_argument(
        "--stir", action="store_true", help="files of chance instead of trained ones: quicker on real models"
    )
    parser.add_argument("--precision", default="fp32", choices=("fp32", "fp16", "bf16"), help="of the files")
    parser.add_argument("--folder", type=Path, default=Path("data", "webui-methods"), help="for files; emptied first")
    parser.add_argument("--only", nargs="*", choices=list(METHODS), help="these alone")
    told = parser.parse_args()
    told.webui, told.python, told.folder = webui, python, told.folder.absolute()
    told.kind = "forge" if (told.webui / "modules_forge").is_dir() else "a1111"
    usual = [name for name in METHODS if told.kind == "a1111" or name not in NOT_IN_FORGE]
    told.only = told.only or usual
    shutil.rmtree(told.folder, ignore_errors=True)
    (told.folder / "pictures").mkdir(parents=True)
    os.environ[DATA_VARIABLE] = str(told.folder / "data")
    for picture in sorted((PICTURES / "openmoji-style").glob("*.png"))[:3]:
        for file in (picture, picture.with_suffix(".txt")):
            shutil.copyfile(file, told.folder / "pictures" / file.name)
    import torch

    model = lend_to_a1111(told.folder / "checkpoint") if told.model == MODEL else told.model.absolute()
    noise = torch.randn(1, 4, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    if told.stir:
        from lib_trainer.models.loading import load_model

        loaded = load_model(model, torch.float32, torch.device("cpu"))
        made = [stir(name, METHODS[name], loaded, told) for name in told.only]
        del loaded
    else:
        made = [make(name, METHODS[name], model, told) for name in told.only]
    gc.collect()  # networks and their model hold each other
    theirs, said = webui_predicts(told, model, noise, made)
    ours = [engine_predicts(None, model, noise, PROMPT)]
    for each in made:
        gc.collect()
        ours.append(engine_predicts(each, model, noise, each.method.prompt))
    return 0 if table(made, ours, theirs, said, NEAR[told.precision]) else 1


if __name__ == "__main__":
    sys.exit(main())
