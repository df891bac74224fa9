"""CPU seconds per training step and peak memory of the trainer's engine, and of kohya's scripts beside it.

    python benchmarks/train_step.py --model FILE --pictures FOLDER --size 256 --batch 1 --steps 8 --precision fp32 \\
        --methods lora loha --kohya CHECKOUT --kohya-python PYTHON --kohya-tokenizers FOLDER --rounds 2

Run it with the engine's Python. Each round runs our worker as the launcher starts it, from a run directory and with no
cache, then kohya's script in fp32 with the same model, pictures, rank and learning rate, method by method. See README.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.kohya import NETWORKS, SCRIPTS, Kohya, command, readable_model
from lib_trainer.core.places import DATA_VARIABLE
from lib_trainer.jobs.launcher import engine_environment, new_run

TIMED = Path(__file__).with_name("timed.py")
RANK = 16
WARMING_UP = 2  # differences left out at the start


@dataclass(frozen=True)
class Figures:
    """CPU seconds of each step after the first ones, of all until the end of the first step, and the peak memory."""

    steps: list[float]
    first: float
    peak: int

    @property
    def median(self) -> float:
        return statistics.median(self.steps)

    def __str__(self) -> str:
        spread = f"{self.median:.4f} s/step ({min(self.steps):.4f} to {max(self.steps):.4f})"
        return f"{spread}, first step after {self.first:.1f} s, peak {self.peak / 1e9:.3f} GB"


def read_figures(file: Path) -> Figures:
    told = json.loads(file.read_text(encoding="utf-8"))
    seconds = told["cpu_seconds"]
    differences = [after - before for before, after in pairwise(seconds)]
    return Figures(differences[WARMING_UP:], seconds[0], told["peak_bytes"])


def run_ours(arguments: argparse.Namespace, method: str, folder: Path) -> Figures:
    """One run of our worker with an empty cache."""
    config = {
        "model": str(arguments.model),
        "dataset": {
            "folder": str(arguments.pictures),
            "buckets": {"resolution": arguments.size, "square": True, "step": 8},
        },
        "trainable": {"type": method, **({} if method in SCRIPTS else {"rank": RANK, "alpha": float(RANK)})},
        "learning_rate": 1e-4,
        "epochs": 100_000,
        "max_steps": arguments.steps,
        "batch_size": arguments.batch,
        "precision": arguments.precision,
        "saving": {"folder": str(folder / "lora"), "every": "never", "state_every": "never"},
    }
    run = new_run("train", config, folder / "run")
    environment = {**engine_environment(), DATA_VARIABLE: str(folder / "data")}
    program = [sys.executable, str(TIMED), str(folder / "ours.json"), "-m", "lib_trainer.worker", str(run.path)]
    execute(program, environment, folder / "ours.log", arguments.threads)
    return read_figures(folder / "ours.json")


def run_kohya(
    arguments: argparse.Namespace, method: str, kohya: Kohya, model: tuple[Path, dict[str, Any]], folder: Path
) -> Figures:
    """One run of kohya's script, which caches latents in memory."""
    pictures = folder / "pictures"
    pictures.mkdir()
    (pictures / "10_pictures").symlink_to(arguments.pictures, target_is_directory=True)
    told = {
        "method": method, "size": arguments.size, "batch": arguments.batch, "steps": arguments.steps, "rank": RANK,
        "precision": arguments.kohya_precision,
    }  # fmt: skip
    figures = folder / "kohya.json"
    program = [str(kohya.python), str(TIMED), str(figures), *command(kohya, model[0], pictures, folder / "out", told)]
    environment = {**os.environ, "TIMED_CONSTANTS": json.dumps(model[1]), "HF_HUB_OFFLINE": "1"}
    execute(program, environment, folder / "kohya.log", arguments.threads)
    return read_figures(figures)


def execute(program: list[str], environment: dict[str, str], log: Path, threads: int) -> None:
    """Run a program to its end; if it fails, the end of what it said is shown."""
    counts = {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    with log.open("wb") as output:
        done = subprocess.run(
            program, env={**environment, **counts}, stdout=output, stderr=subprocess.STDOUT, check=False,
            cwd=Path(__file__).resolve().parents[1],
        )  # fmt: skip
    if done.returncode:
        sys.exit(f"{' '.join(program[:5])} ... failed:\n{log.read_text(encoding='utf-8', errors='replace')[-3000:]}")


def measure(arguments: argparse.Namespace) -> None:
    """All rounds, printed as they end."""
    kohya = None
    if arguments.kohya:
        kohya = Kohya(arguments.kohya, arguments.kohya_python, arguments.kohya_tokenizers)
    print(f"{arguments.model.name}, {arguments.size} px, batch {arguments.batch}, {arguments.precision}, "
          f"{arguments.threads} thread(s)")  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        model = readable_model(arguments.model, Path(folder) / "model") if kohya else None
        for number in range(1, arguments.rounds + 1):
            for method in arguments.methods:
                place = Path(folder) / f"{number}-{method}"
                place.mkdir()
                show_round(arguments, f"round {number} {method}", place, (kohya, model))


def show_round(
    arguments: argparse.Namespace,
    title: str,
    place: Path,
    peer: tuple[Kohya | None, tuple[Path, dict[str, Any]] | None],
) -> None:
    """Ours, then kohya's if there is one."""
    method = title.rpartition(" ")[2]
    ours = run_ours(arguments, method, place)
    print(f"{title} ours:  {ours}", flush=True)
    kohya, model = peer
    if kohya and model:
        theirs = run_kohya(arguments, method, kohya, model, place)
        print(f"{title} kohya: {theirs}")
        ratios = f"time {ours.median / theirs.median:.3f}, peak {ours.peak / theirs.peak:.3f}"
        print(f"{title} ours / kohya: {ratios}; load of the machine {os.getloadavg()[0]:.1f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=whole, required=True)
    parser.add_argument("--pictures", type=whole, required=True, help="pictures, each with its caption in a .txt")
    parser.add_argument("--methods", nargs="+", default=["lora"], choices=[*NETWORKS, *SCRIPTS])
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--precision", default="fp32", help="ours: auto, fp32, fp16 or bf16")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--kohya", type=whole, help="a checkout of kohya-ss/sd-scripts")
    parser.add_argument("--kohya-python", type=Path, default=Path(sys.executable), help="Python of its environment")
    parser.add_argument("--kohya-tokenizers", type=whole, default=Path("tokenizers"))
    parser.add_argument("--kohya-precision", default="no", choices=("no", "fp16", "bf16"))
    measure(parser.parse_args())


def whole(path: str) -> Path:
    return Path(path).absolute()


if __name__ == "__main__":
    main()
